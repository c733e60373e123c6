package rotation

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"mithaq.dev/mithaq/internal/redact"
)

// fault is what goes wrong at one effect.
type fault string

const (
	none        fault = ""
	crashBefore fault = "crash before"
	crashAfter  fault = "crash after"
	conflict    fault = "409"       // a store is refused
	lostWrite   fault = "lost"      // a store takes effect, its answer is lost
	lostAnswer  fault = "ambiguous" // a call takes effect, its answer is lost
	unreachable fault = "unavailable"
	misconfig   fault = "misconfigured"
	wrongHolder fault = "wrong account"
	fewerScopes fault = "fewer scopes"
)

var allFaults = []fault{crashBefore, crashAfter, conflict, lostWrite, lostAnswer, unreachable, misconfig, wrongHolder, fewerScopes}

var errCrash = errors.New("crashed")

var key = []byte("a key that only the operator has")

// world drives the state machine over a stored vault, as the controller does.
type world struct {
	t        *testing.T
	plan     string
	p        *platform
	facts    Facts
	now      time.Time
	data     map[string][]byte
	stored   *Vault // what data holds; nothing changes it
	status   int64  // rotations that the status remembers
	outbox   string
	effects  int
	at       int // the effect that the fault strikes
	fault    fault
	struck   bool
	process  int
	own      string
	ahead    *Vault // what this process holds and has not stored; nil: nothing
	unstored *Call  // whose result that is; nil: no mutating call's
	serial   int
	ambig    int // issues whose outcome was lost
	stores   int
	started  time.Time
	noAnswer bool // the person never consents
	mistake  mistake
	report   func(format string, args ...any) // where violations go
}

func (w *world) violated(format string, args ...any) {
	w.t.Helper()
	if w.report != nil {
		w.report(format, args...)
		return
	}
	w.t.Errorf("%s: %s", w.plan, fmt.Sprintf(format, args...))
	if violations++; violations >= 12 {
		w.t.Fatal("too many violations")
	}
}

// violations are counted over all plans.
var violations int

func (w *world) load() *Vault {
	if w.stored != nil {
		return w.stored
	}
	v, err := Decode("uid-1", w.data, key)
	if err != nil {
		w.t.Fatalf("%s: %v", w.plan, err)
	}
	w.stored = v
	return v
}

// strike says which fault strikes the effect that comes now.
func (w *world) strike() fault {
	w.effects++
	if w.effects == w.at && !w.struck {
		w.struck = true
		return w.fault
	}
	return none
}

// store is one compare-and-swap; conflict means that nothing was stored.
func (w *world) store(v *Vault) error {
	f := w.strike()
	if f == crashBefore {
		return errCrash
	}
	if f == conflict {
		return errors.New("conflict")
	}
	before := w.load()
	data, err := Encode(v.Bumped(), key)
	if err != nil {
		w.t.Fatalf("%s: %v", w.plan, err)
	}
	w.data, w.stored = data, nil
	w.stores++
	w.checkStored(before, w.load())
	if f == crashAfter {
		return errCrash
	}
	if f == lostWrite {
		return errors.New("lost")
	}
	return nil
}

// call sends one call, with the fault that strikes it.
func (w *world) call(c *Call, v *Vault) (Outcome, error) {
	w.checkSent(c, v)
	switch f := w.strike(); f {
	case crashBefore:
		return Outcome{}, errCrash
	case crashAfter:
		if w.p.perform(c, v, w.now); c.Kind == CallMutate && c.Op.Name == OpIssue {
			w.ambig++
		}
		return Outcome{}, errCrash
	case lostAnswer:
		if o := w.p.perform(c, v, w.now); c.Kind != CallMutate {
			return o, nil
		}
		if c.Op.Name == OpIssue {
			w.ambig++
		}
		return Outcome{Kind: Ambiguous}, nil
	case unreachable:
		return Outcome{Kind: Unavailable}, nil
	case misconfig:
		return Outcome{Kind: Misconfigured}, nil
	case wrongHolder, fewerScopes:
		return bend(w.p.perform(c, v, w.now), c, f), nil
	default:
		return w.p.perform(c, v, w.now), nil
	}
}

func bend(o Outcome, c *Call, f fault) Outcome {
	if c.Kind == CallIdentify && f == wrongHolder {
		o.Identity.AccountID = "acc-of-somebody-else"
	}
	if c.Kind == CallIdentify && f == fewerScopes {
		o.Identity.Scopes = []string{}
	}
	return o
}

// held is what this process goes on from.
func (w *world) held() *Vault {
	if w.ahead != nil {
		return w.ahead
	}
	return w.load()
}

// pass performs one step of a reconcile; false: nothing is to be done now.
func (w *world) pass() (bool, error) {
	v := w.held()
	f := w.facts
	f.OwnAttempt, f.Rotations = w.own, w.status
	f.Fingerprint = Fingerprinter(key)
	w.serial++
	f.Nonce, f.Verifier = redact.Token(fmt.Sprintf("nonce-%d", w.serial)), redact.Token(fmt.Sprintf("verifier-%d", w.serial))
	w.consent(v, &f)
	w.attest(v)
	f.Attested = w.facts.Attested
	s := Onward(w.load(), v, &f, w.now)
	if w.mistake.step != nil {
		s = w.mistake.step(w, v, s)
	}
	if s.Release {
		return false, nil
	}
	if s.Publish {
		if err := w.publish(v); err != nil {
			return true, err
		}
		w.ahead = s.Vault
		return true, nil
	}
	if s.Vault == nil && s.Call == nil {
		if v.Journal.Phase != Idle && !s.At.IsZero() && s.At.After(w.now) {
			w.wait(s.At)
			return true, nil
		}
		return false, nil
	}
	return true, w.perform(s, &f)
}

func (w *world) wait(at time.Time) { w.now = at }

// keep stores what goes on from what is stored. A result is stored again and again.
func (w *world) keep(v *Vault) error {
	most := 1
	if w.ahead != nil {
		most = 3
	}
	var err error
	for range most {
		if err = w.store(v); err == nil || errors.Is(err, errCrash) {
			break
		}
	}
	if errors.Is(err, errCrash) && w.unstored != nil && w.unstored.Op.Name == OpIssue && w.fault == crashBefore {
		w.ambig++ // the answer died with the process
	}
	if w.ahead = nil; w.unstored != nil && (err == nil || errors.Is(err, errCrash)) {
		w.own, w.unstored = "", nil
	}
	return err
}

func (w *world) perform(s Step, f *Facts) error {
	mutates := s.Call != nil && s.Call.Op != nil
	switch {
	case s.Vault == nil || w.mistake.noIntent && s.Call != nil:
	case s.Call != nil && !mutates:
		w.ahead = s.Vault
	default:
		if err := w.keep(s.Vault); err != nil {
			w.own = ""
			return err
		}
	}
	w.status = max(w.status, w.load().Journal.Rotations)
	if s.Call == nil {
		return nil
	}
	v := w.held()
	if mutates {
		w.own, w.unstored = s.Call.Op.Attempt, s.Call
	}
	o, err := w.call(s.Call, v)
	if err != nil {
		return err
	}
	w.ahead = Record(v, s.Call, &o, f, w.now)
	if w.mistake.record != nil {
		w.mistake.record(w, s.Call, &o, w.ahead)
	}
	return nil
}

func (w *world) publish(v *Vault) error {
	f := w.strike()
	if f == crashBefore {
		return errCrash
	}
	w.outbox = string(v.Current.Access)
	if f == crashAfter {
		return errCrash
	}
	return nil
}

// consent is what the person does when a consent is asked for.
func (w *world) consent(v *Vault, f *Facts) {
	if v.Journal.Phase != AwaitingConsent || v.Journal.Nonce == "" || w.noAnswer || f.Deleting {
		return
	}
	c := consent{principal: w.p.account, account: w.p.account}
	if w.p.traits.PersonPrincipal {
		c.principal, c.email = "person of "+v.Journal.To.Accountable, v.Journal.To.Accountable
	}
	f.Code, f.CodeNonce = redact.Token("code for "+string(v.Journal.Nonce)), v.Journal.Nonce
	if w.p.sentCodes[f.Code] == 0 {
		w.p.codes[f.Code] = c
	}
}

// attest is what people do when they are asked for their word.
func (w *world) attest(v *Vault) {
	for _, s := range v.Journal.HumanSteps {
		if s.Attested {
			continue
		}
		if w.facts.Attested == nil {
			w.facts.Attested = map[string]time.Time{}
		}
		w.facts.Attested[s.Name] = w.now
		for id, email := range w.p.members {
			if s.Name == "remove-from-account" && slices.Contains(leavers(v), email) {
				delete(w.p.members, id)
			}
		}
	}
}

// run goes on until nothing is to be done, restarting after crashes.
func (w *world) run(most int) {
	for range most {
		busy, err := w.pass()
		if errors.Is(err, errCrash) {
			w.process++
			w.own, w.ahead, w.unstored = "", nil, nil
		}
		if w.settled() || !busy && err == nil {
			return
		}
	}
	v := w.load()
	w.violated("I9: no rest after %d passes: phase %s, failed %q, op %v", most, v.Journal.Phase, v.Journal.Failed, v.Journal.Op)
}

// settled says that a rotation was completed that began with this run.
func (w *world) settled() bool {
	v := w.load()
	return v.Journal.Phase == Idle && v.Journal.Op == nil && v.Journal.Rotations > 0 && v.Journal.SettledFor.same(&w.facts.Declared) &&
		v.Journal.Published == Fingerprinter(key)(v.Current.Access) && !v.Current.IssuedAt.Before(w.started)
}
