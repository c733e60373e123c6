package world

import (
	"sync"
	"time"
)

// Call is one request that a client sent: what it wanted to change, or which
// secret it showed. It holds no secret.
type Call struct {
	// Seq counts all calls from 1, in the order they began.
	Seq      int      `json:"seq"`
	Platform Platform `json:"platform"`
	Endpoint string   `json:"endpoint"`
	// Began is when it came, Ended when it was answered; of two mutating calls that
	// overlap, each begins before the other ends. Ended is zero while it runs.
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended,omitzero"`
	// BeganSeq and EndedSeq order beginnings and ends of all calls even where the
	// clock stands still.
	BeganSeq int `json:"beganSeq"`
	EndedSeq int `json:"endedSeq,omitempty"`
	// Mutating calls change something; Effect says what: "exchange", "refresh",
	// "mint", "revoke", "removeRole", "addRole", "removePerson" and so on.
	Mutating bool   `json:"mutating"`
	Effect   string `json:"effect,omitempty"`
	Client   string `json:"client,omitempty"`
	Person   string `json:"person,omitempty"`
	Account  string `json:"account,omitempty"`
	// Sent are the secrets shown, Issued those made by it, Ended... those that died
	// are found by Tokens.
	Sent   []SentToken `json:"sent,omitempty"`
	Issued []string    `json:"issued,omitempty"`
	Status int         `json:"status"`
	// Accepted: the platform did or told what was asked, whether or not the answer
	// arrived.
	Accepted bool `json:"accepted"`
}

// SentToken is a secret that a client showed.
type SentToken struct {
	Fingerprint string    `json:"fingerprint"`
	Kind        TokenKind `json:"kind,omitempty"`
	// Accepted: it worked at that moment; Known: it ever existed.
	Accepted bool `json:"accepted"`
	Known    bool `json:"known"`
}

// maxCalls bounds what the history keeps; the oldest calls go first.
const maxCalls = 1 << 16

type history struct {
	mu    sync.Mutex
	reads bool
	calls []*Call
	// dropped counts calls that went; seq those that came; order beginnings and ends.
	dropped, seq, order int
}

// RecordReads says whether the history keeps calls that change nothing as well;
// it begins with mutating ones only, as sweeps of a large fleet would fill it.
func (w *World) RecordReads(on bool) {
	w.history.mu.Lock()
	defer w.history.mu.Unlock()
	w.history.reads = on
}

// Recorder is one call under way. A nil Recorder is of use: it records nothing.
type Recorder struct {
	world *World
	call  *Call
}

// BeginCall opens the record of a call; nil if the history does not keep it.
func (w *World) BeginCall(c Call) *Recorder {
	h := &w.history
	h.mu.Lock()
	defer h.mu.Unlock()
	if !c.Mutating && !h.reads {
		return nil
	}
	h.seq++
	h.order++
	c.Seq, c.BeganSeq, c.Began = h.seq, h.order, w.Now()
	if len(h.calls) == maxCalls {
		h.calls = append(h.calls[:0], h.calls[maxCalls/4:]...)
		h.dropped += maxCalls / 4
	}
	h.calls = append(h.calls, &c)
	return &Recorder{w, &c}
}

// Sent notes a secret that the client showed and whether it works now.
func (r *Recorder) Sent(p Platform, value string) {
	if r == nil || value == "" {
		return
	}
	t, known := r.world.Token(p, value)
	sent := SentToken{r.world.Fingerprint(value), t.Kind, known && t.Cause == "", known}
	r.Note(func(c *Call) { c.Sent = append(c.Sent, sent) })
}

// Issued notes a secret that the platform made.
func (r *Recorder) Issued(value string) {
	if r == nil || value == "" {
		return
	}
	fingerprint := r.world.Fingerprint(value)
	r.Note(func(c *Call) { c.Issued = append(c.Issued, fingerprint) })
}

// Note changes the record; change must not call the world.
func (r *Recorder) Note(change func(*Call)) {
	if r == nil {
		return
	}
	r.world.history.mu.Lock()
	defer r.world.history.mu.Unlock()
	change(r.call)
}

// End closes the record once; later ends are ignored.
func (r *Recorder) End(status int) {
	if r == nil {
		return
	}
	h := &r.world.history
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.call.EndedSeq > 0 {
		return
	}
	h.order++
	r.call.Status, r.call.EndedSeq, r.call.Ended = status, h.order, r.world.Now()
}

// History is the calls in the order they began.
type History struct {
	Calls []Call `json:"calls"`
	// Dropped counts older calls that are no longer kept.
	Dropped int `json:"dropped"`
}

// History returns a copy of what was recorded.
func (w *World) History() History {
	h := &w.history
	h.mu.Lock()
	defer h.mu.Unlock()
	out := History{Calls: make([]Call, len(h.calls)), Dropped: h.dropped}
	for i, c := range h.calls {
		out.Calls[i] = *c
		out.Calls[i].Sent = append([]SentToken(nil), c.Sent...)
		out.Calls[i].Issued = append([]string(nil), c.Issued...)
	}
	return out
}

// ResetHistory forgets the calls; Seq goes on.
func (w *World) ResetHistory() {
	w.history.mu.Lock()
	defer w.history.mu.Unlock()
	w.history.calls, w.history.dropped = nil, 0
}
