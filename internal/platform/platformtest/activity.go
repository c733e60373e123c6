package platformtest

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mithaq.dev/mithaq/internal/platform"
)

// Chronicle is a Fixture that also plays lists of activity and single posts. The
// checks of Streams and Rereads need it.
type Chronicle interface {
	// Act is the i-th act of an account in a stream, as an adapter must read it. A
	// later i is newer: its At, if told, is i minutes after Now less a day.
	Act(stream platform.Stream, account platform.AccountRef, i int) platform.Act
	// Play answers one request for a stream (or one that such a read needs first).
	// acts are those of the account with an id, newest first. It pages and filters
	// as the platform does, and reports an error if the platform would not accept the
	// request.
	Play(w http.ResponseWriter, r *http.Request, stream platform.Stream, acts func(id string) []platform.Act) error
	// PlayPosts answers one request for single posts.
	PlayPosts(w http.ResponseWriter, r *http.Request, post func(id string) (platform.Act, bool)) error
}

// feed is the list of activity of every account of a check.
type feed struct {
	stage
	chronicle Chronicle
	stream    platform.Stream
	count     int
}

// acts are the first count acts of an account, newest first.
func (f *feed) acts(ref platform.AccountRef) []platform.Act {
	out := make([]platform.Act, f.count)
	for i := range out {
		out[i] = f.chronicle.Act(f.stream, ref, f.count-1-i)
	}
	return out
}

func (f *feed) refs() []platform.AccountRef {
	refs := make([]platform.AccountRef, min(3, f.Adapter.Streams[f.stream].Batch))
	for i := range refs {
		refs[i] = f.Fixture.Account(i)
	}
	return refs
}

func (f *feed) play(t *testing.T) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		acts := func(id string) []platform.Act {
			for _, ref := range f.refs() {
				if ref.ID == id {
					return f.acts(ref)
				}
			}
			return nil
		}
		if f.Fixture.Aux(w, r) {
			return
		}
		if err := f.chronicle.Play(w, r, f.stream, acts); err != nil {
			t.Errorf("the platform would not accept %s %s: %v", r.Method, r.URL.Path, err)
		}
	}
}

// asks ask for limit acts of every account, from a cursor each.
func (f *feed) asks(limit int, cursors ...platform.Cursor) []platform.ActivityAsk {
	var asks []platform.ActivityAsk
	for i, ref := range f.refs() {
		ask := platform.ActivityAsk{
			Ref: ref, Limit: limit, Since: Now.Add(-48 * time.Hour), Token: canary + "-token", UploadsHint: "UU" + strings.TrimPrefix(ref.ID, "UC"),
		}
		if i < len(cursors) {
			ask.Cursor = cursors[i]
		}
		asks = append(asks, ask)
	}
	return asks
}

func checkActivity(t *testing.T, st stage) {
	chronicle, ok := st.Fixture.(Chronicle)
	if !ok || len(st.Adapter.Streams) == 0 {
		t.Skip("no streams, or no fixture that plays them")
	}
	for stream := range st.Adapter.Streams {
		f := &feed{stage: st, chronicle: chronicle, stream: stream, count: 5}
		t.Run(string(stream), func(t *testing.T) {
			t.Run("since a cursor", f.checkCursor)
			t.Run("outage", f.checkOutage)
			t.Run("refusal", f.checkRefusal)
		})
	}
	t.Run("unknown stream", func(t *testing.T) {
		srv := serving(t, func(http.ResponseWriter, *http.Request) {})
		_, err := st.openAll(t, srv.URL).Activity.Activity(t.Context(), "moods", []platform.ActivityAsk{{Limit: 1}})
		st.expectKind(t, err, platform.KindInvalid)
		if n := srv.requests.Load(); n != 0 {
			t.Errorf("%d requests", n)
		}
	})
}

// checkCursor reads a list in pieces, then what was added.
func (f *feed) checkCursor(t *testing.T) {
	reader := f.openAll(t, serving(t, f.play(t)).URL).Activity
	read := f.Adapter.Streams[f.stream]
	cursors := f.drain(t, reader, nil, f.count)
	if !read.Ordered {
		return
	}
	cursors = f.drain(t, reader, cursors, 0)
	f.count += 2
	f.drain(t, reader, cursors, 2)
}

// drain asks two by two until there is no more, and expects the newest want acts of
// each account, each of them once.
func (f *feed) drain(t *testing.T, reader platform.ActivityReader, cursors []platform.Cursor, want int) []platform.Cursor {
	t.Helper()
	got := make(map[string][]platform.Act)
	limit := 2
	if !f.Adapter.Streams[f.stream].Ordered {
		limit = 100
	}
	for round, more := 0, true; more; round++ {
		if round > 10 {
			t.Fatal("no end after 10 asks")
		}
		asks := f.asks(limit, cursors...)
		answers, err := reader.Activity(t.Context(), f.stream, asks)
		if err != nil || len(answers) != len(asks) {
			t.Fatalf("%d answers to %d asks: %v", len(answers), len(asks), err)
		}
		cursors, more = nil, false
		for i, a := range answers {
			f.checkAnswer(t, asks[i], a)
			got[a.Ref.ID] = append(got[a.Ref.ID], a.Acts...)
			cursors, more = append(cursors, a.Cursor), more || a.More
		}
	}
	for _, ref := range f.refs() {
		newest := f.acts(ref)[:want]
		slices.SortStableFunc(got[ref.ID], func(a, b platform.Act) int { return b.At.Compare(a.At) })
		if diff := cmp.Diff(newest, got[ref.ID]); diff != "" && want+len(got[ref.ID]) > 0 {
			t.Errorf("acts of %s: %s", ref.ID, diff)
		}
	}
	return cursors
}

func (f *feed) checkAnswer(t *testing.T, ask platform.ActivityAsk, a platform.ActivityAnswer) {
	t.Helper()
	read := f.Adapter.Streams[f.stream]
	if a.Ref != ask.Ref || a.Err != nil || len(a.Acts) > ask.Limit {
		t.Errorf("%d acts of %s, asked for %d of %s: %v", len(a.Acts), a.Ref, ask.Limit, ask.Ref, a.Err)
	}
	if len(a.Cursor) > 256 || strings.ContainsAny(string(a.Cursor), "\r\n") || strings.Contains(string(a.Cursor), canary) {
		t.Errorf("the cursor is too long, has line ends, or holds a token: %d bytes", len(a.Cursor))
	}
	for i, act := range a.Acts {
		if !slices.Contains(read.Actions, act.Action) {
			t.Errorf("the action %s is not declared", act.Action)
		}
		if read.Ordered && i > 0 && act.At.After(a.Acts[i-1].At) {
			t.Errorf("act %d is newer than the one before it", i)
		}
	}
}

// checkOutage: no act and no step of the cursor out of an answer that is none.
func (f *feed) checkOutage(t *testing.T) {
	for name, bad := range spoiled(f.play(t)) {
		t.Run(name, func(t *testing.T) {
			reader := f.openAll(t, serving(t, bad).URL).Activity
			answers, err := reader.Activity(t.Context(), f.stream, f.asks(2))
			if err != nil {
				f.expectKind(t, err, platform.KindUnavailable)
				return
			}
			for _, a := range answers {
				f.expectKind(t, a.Err, platform.KindUnavailable)
				if len(a.Acts) > 0 || a.Cursor != "" {
					t.Errorf("%d acts, cursor %q", len(a.Acts), a.Cursor)
				}
			}
		})
	}
}

// checkRefusal asks what must not be sent.
func (f *feed) checkRefusal(t *testing.T) {
	srv := serving(t, f.play(t))
	reader := f.openAll(t, srv.URL).Activity
	if answers, err := reader.Activity(t.Context(), f.stream, nil); err != nil || len(answers) != 0 {
		t.Errorf("no asks: %d answers, %v", len(answers), err)
	}
	_, err := reader.Activity(t.Context(), f.stream, make([]platform.ActivityAsk, f.Adapter.Streams[f.stream].Batch+1))
	f.expectKind(t, err, platform.KindInvalid)
	bad := f.asks(2)[:1]
	bad[0].Ref = platform.AccountRef{ID: "../a", Handle: "a&b"}
	answers, err := reader.Activity(t.Context(), f.stream, bad)
	if err == nil && len(answers) == 1 {
		err = answers[0].Err
	}
	f.expectKind(t, err, platform.KindInvalid)
	if n := srv.requests.Load(); n != 0 {
		t.Errorf("%d requests", n)
	}
}
