package platformtest

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"testing"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// prompt is how soon a call must return after its context is done. It is wide,
// for the machine may be busy.
const prompt = 3 * time.Second

var nolog = log.New(io.Discard, "", 0)

// checkContext ends calls while the platform holds them. That no goroutine stays
// behind is checked around the whole suite.
func checkContext(t *testing.T, st stage) {
	t.Run("before the answer", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		st.hold(ctx, t, nil, cancel, context.Canceled)
	})
	t.Run("amid the answer", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begun := half(st.Fixture.Answer(st.by, st.accounts(platform.Found)[:1]))
		st.hold(ctx, t, begun, cancel, context.Canceled)
	})
	t.Run("deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		st.hold(ctx, t, nil, func() {}, context.DeadlineExceeded)
	})
}

// hold lets the platform begin an answer and no more, calls end, and expects the
// call to return with want.
func (st stage) hold(ctx context.Context, t *testing.T, begun []byte, end func(), want error) {
	t.Helper()
	held, release := make(chan struct{}, 1), make(chan struct{})
	st.endpoint = st.serve(t, func(w http.ResponseWriter, r *http.Request, _ []string) {
		if len(begun) > 0 {
			_, _ = w.Write(begun)
			_ = http.NewResponseController(w).Flush()
		}
		held <- struct{}{}
		select {
		case <-r.Context().Done():
		case <-release:
		}
	}).URL
	t.Cleanup(func() { close(release) }) // or the server waits for a call that does not end
	c := st.open(t, nil)
	type result struct {
		got []platform.Observation
		err error
	}
	done := make(chan result, 1)
	go func() {
		got, err := c.Observe(ctx, st.by, st.refs(st.accounts(platform.Found)[:1]))
		done <- result{got, err}
	}()
	select {
	case <-held:
	case <-ctx.Done(): // on a busy machine, even before the request
	}
	end()
	patient, stop := context.WithTimeout(t.Context(), prompt)
	defer stop()
	select {
	case r := <-done:
		st.expectNothing(t, r.got, r.err, platform.KindUnavailable)
		if !errors.Is(r.err, want) {
			t.Errorf("got %v, want %v in its chain", r.err, want)
		}
	case <-patient.Done():
		t.Error("the call did not return")
	}
}

// checkUsage checks that every answer's headers are told, those of errors too.
func checkUsage(t *testing.T, st stage) {
	asked := st.accounts(platform.Found)[:1]
	want := st.usage()
	tells := http.Header{}
	if st.Fixture.Limits(tells, want); len(tells) == 0 {
		t.Skip("the platform's answers tell no limits")
	}
	for _, status := range []int{http.StatusOK, http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			st := st
			st.endpoint = st.serve(t, func(w http.ResponseWriter, _ *http.Request, _ []string) {
				st.Fixture.Limits(w.Header(), want)
				w.WriteHeader(status)
				_, _ = w.Write(st.Fixture.Answer(st.by, asked))
			}).URL
			c := st.open(t, nil)
			_, _ = c.Observe(t.Context(), st.by, st.refs(asked))
			got := c.usages()
			if len(got) != 1 || got[0].Bucket != want.Bucket || got[0].Limit != want.Limit ||
				got[0].Remaining != want.Remaining || !got[0].ResetsAt.Equal(want.ResetsAt) {
				t.Errorf("told %+v, want %+v once", got, want)
			}
		})
	}
}
