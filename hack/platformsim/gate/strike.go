package gate

import (
	"bytes"
	"compress/gzip"
	"context"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

type strikeContext struct {
	Gate
	fault world.Fault
	next  http.Handler
}

type strikeFunc func(s strikeContext, w *counter, r *http.Request)

var strikes = map[world.FaultKind]strikeFunc{
	world.FaultRefuse:          refuse,
	world.FaultHang:            hang,
	world.FaultDelay:           delay,
	world.FaultSlow:            slow,
	world.FaultStatus:          status,
	world.FaultThrottle:        throttle,
	world.FaultThrottleNoReset: throttle,
	world.FaultHTML:            html,
	world.FaultGarbage:         fixed("\x00\xff\xfe{\"data\":[{\"id\":\x80,,"),
	world.FaultEmpty:           fixed(""),
	world.FaultEmptyObject:     fixed("{}"),
	world.FaultHugeBody:        hugeBody,
	world.FaultGzipBomb:        gzipBomb,
	world.FaultTruncated:       spoil,
	world.FaultCutOff:          spoil,
	world.FaultShuffleForeign:  lie,
	world.FaultExtraForeign:    lie,
	world.FaultAllNotFound:     lie,
	world.FaultAllSuspended:    lie,
	world.FaultNullItems:       lie,
	world.FaultItemErrors:      lie,
	world.FaultLostAnswer:      lostAnswer,
}

const jsonType = "application/json; charset=utf-8"

// refuse makes the kernel send a reset instead of a proper end. The call has ended in the
// history before its client can know.
func refuse(_ strikeContext, w *counter, r *http.Request) {
	w.once(0)
	Record(r.Context()).End(0)
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// hang panics in the end, as returning would send an empty 200.
func hang(_ strikeContext, w *counter, r *http.Request) {
	w.once(0)
	if drain(r) {
		<-r.Context().Done()
	}
	panic(http.ErrAbortHandler)
}

// delay cannot drain, as the true answer needs the request; one whose client
// left early just takes its time.
func delay(s strikeContext, w *counter, r *http.Request) {
	if !s.wait(r.Context(), time.Duration(s.fault.DelaySeconds)*time.Second) {
		w.once(0)
		panic(http.ErrAbortHandler)
	}
	s.next.ServeHTTP(w, r)
}

// wait is true once d passed on the world's clock, false if the client left.
func (s strikeContext) wait(ctx context.Context, d time.Duration) bool {
	timer := s.World.Clock().NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-ctx.Done():
		return false
	}
}

func slow(s strikeContext, w *counter, r *http.Request) {
	if !drain(r) {
		return
	}
	w.Header().Set("Content-Type", jsonType)
	control := http.NewResponseController(w)
	next := []byte(`{"data":[`)
	pause := time.Duration(max(s.fault.DelaySeconds, 1)) * time.Second
	for {
		if _, err := w.Write(next); err != nil || control.Flush() != nil {
			return
		}
		if !s.wait(r.Context(), pause) {
			return
		}
		next = []byte(" ")
	}
}

func status(s strikeContext, w *counter, _ *http.Request) {
	code := s.fault.Status
	if code == 0 {
		code = http.StatusServiceUnavailable
	}
	s.Render.Status(w, code)
}

func throttle(s strikeContext, w *counter, _ *http.Request) {
	reset := time.Time{}
	if s.fault.Kind == world.FaultThrottle {
		after := s.Window
		if s.fault.DelaySeconds > 0 {
			after = time.Duration(s.fault.DelaySeconds) * time.Second
		}
		reset = s.World.Now().Add(after)
	}
	s.Render.Throttle(w, reset)
}

func html(s strikeContext, w *counter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(max(s.fault.Status, http.StatusOK))
	_, _ = w.Write([]byte("<!DOCTYPE html>\n<html><head><title>Over capacity</title></head><body><h1>Something went wrong</h1></body></html>\n"))
}

// fixed answers these bytes with status 200, labelled JSON.
func fixed(body string) strikeFunc {
	return func(_ strikeContext, w *counter, _ *http.Request) {
		w.Header().Set("Content-Type", jsonType)
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write([]byte(body))
	}
}

// hugeBody never closes the string it opens.
func hugeBody(_ strikeContext, w *counter, _ *http.Request) {
	w.Header().Set("Content-Type", jsonType)
	if _, err := w.Write([]byte(`{"data":[{"id":"1","name":"`)); err != nil {
		return
	}
	const chunk, total = 64 << 10, 256 << 20
	repeat(w, bytes.Repeat([]byte("a"), chunk), total/chunk)
}

// member is a gzip stream of 8 MiB of spaces. A reader takes any number of
// them in a row as one, so the bomb need not be compressed as a whole.
var member = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = z.Write(bytes.Repeat([]byte(" "), 8<<20))
	_ = z.Close()
	return b.Bytes()
})

func gzipBomb(_ strikeContext, w *counter, _ *http.Request) {
	const members = 1 << 30 / (8 << 20)
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("Content-Encoding", "gzip")
	w.WriteHeader(http.StatusOK)
	repeat(w, member(), members)
}

// repeat writes until the client has had n times b or hangs up.
func repeat(w http.ResponseWriter, b []byte, n int) {
	for range n {
		if _, err := w.Write(b); err != nil {
			return
		}
	}
}

func lie(s strikeContext, w *counter, r *http.Request) {
	ctx := context.WithValue(r.Context(), lieKey{}, s.fault)
	s.next.ServeHTTP(w, r.WithContext(ctx))
}

// lostAnswer lets the platform act before nobody hears of it.
func lostAnswer(s strikeContext, w *counter, r *http.Request) {
	s.next.ServeHTTP(&buffer{header: http.Header{}}, r)
	refuse(s, w, r)
}

// spoil lets the true answer through up to its middle.
func spoil(s strikeContext, w *counter, r *http.Request) {
	whole := &buffer{header: w.Header()}
	s.next.ServeHTTP(whole, r)
	half := whole.body.Bytes()[:whole.body.Len()/2]
	promised := len(half)
	if s.fault.Kind == world.FaultCutOff {
		promised = whole.body.Len()
	}
	w.Header().Set("Content-Length", strconv.Itoa(promised))
	w.WriteHeader(max(whole.status, http.StatusOK))
	_, _ = w.Write(half)
	if s.fault.Kind == world.FaultCutOff {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// buffer holds an answer back.
type buffer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (b *buffer) Header() http.Header { return b.header }

func (b *buffer) Write(p []byte) (int, error) { return b.body.Write(p) }

func (b *buffer) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
	}
}
