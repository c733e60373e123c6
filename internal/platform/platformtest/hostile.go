package platformtest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"

	"mithaq.dev/mithaq/internal/platform"
)

// beyond is the index of accounts that nobody asks for.
const beyond = 1_000_000

// checkHostile shows answers that must not be believed, or not wholly.
func checkHostile(t *testing.T, st stage) {
	asked := st.accounts(platform.Found)[:min(3, st.limits.Batch)]
	first := asked[0]
	foreign := Said{Ref: st.Fixture.Account(beyond), Outcome: platform.Found}
	gone := Said{Ref: st.Fixture.Account(beyond + 1), Outcome: platform.NotFound}
	unanswered := func(said ...Said) []Said {
		out := slices.Clone(said)
		for i := range out {
			out[i].Outcome = platform.Unanswered
		}
		return out
	}
	play := func(name string, answer respond, want []Said) {
		t.Run(name, func(t *testing.T) {
			st := st
			st.endpoint = st.serve(t, answer).URL
			got, err := st.open(t, nil).Observe(t.Context(), st.by, st.refs(want))
			if len(want) == 1 && want[0].Outcome == platform.Unanswered {
				st.expectNothing(t, got, err, platform.KindUnavailable)
				return
			}
			st.expect(t, got, err, want)
		})
	}
	with := func(said ...Said) respond { return st.always(said...) }
	again := func(o platform.Outcome) Said { return Said{Ref: first.Ref, Outcome: o} }

	if st.silent() {
		checkSilence(t, st, asked, foreign)
		t.Run("redirect", func(t *testing.T) { checkRedirect(t, st, first) })
		t.Run("identity", func(t *testing.T) { checkIdentity(t, st, first) })
		return
	}
	if st.positional() {
		checkPlaces(t, st, asked, foreign)
		t.Run("redirect", func(t *testing.T) { checkRedirect(t, st, first) })
		t.Run("identity", func(t *testing.T) { checkIdentity(t, st, first) })
		return
	}
	play("accounts nobody asked for", with(slices.Concat([]Said{foreign, gone}, asked)...), asked)
	play("another account in its place", with(foreign), unanswered(first))
	play("another missing account in its place", with(gone), unanswered(first))
	play("found and missing", with(first, again(platform.NotFound)), unanswered(first))
	play("suspended and missing", with(again(platform.Suspended), again(platform.NotFound)), unanswered(first))
	play("missing twice", with(again(platform.NotFound), again(platform.NotFound)), []Said{again(platform.NotFound)})
	play("found twice", with(first, first), []Said{first})
	if len(asked) > 1 {
		rest := asked[1:]
		play("one left out", with(rest...), slices.Concat(unanswered(first), rest))
		partial := slices.Concat([]Said{again(platform.Suspended)}, rest)
		play("one suspended", with(reversed(partial)...), partial)
	}
	t.Run("redirect", func(t *testing.T) { checkRedirect(t, st, first) })
	t.Run("identity", func(t *testing.T) { checkIdentity(t, st, first) })
}

// checkRedirect makes the platform redirect to a host that tells lies: no request
// may reach it, let alone one with a token.
func checkRedirect(t *testing.T, st stage, asked Said) {
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect} {
		var reached atomic.Bool
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			reached.Store(true)
			st.write(w, []Said{{Ref: asked.Ref, Outcome: platform.NotFound}})
		}))
		t.Cleanup(other.Close)
		st.endpoint = st.serve(t, func(w http.ResponseWriter, r *http.Request, _ []string) {
			http.Redirect(w, r, other.URL+r.URL.RequestURI(), status)
		}).URL
		got, err := st.open(t, nil).Observe(t.Context(), st.by, st.refs([]Said{asked}))
		st.expectNothing(t, got, err, platform.KindUnavailable)
		if reached.Load() {
			t.Errorf("a redirect with status %d was followed", status)
		}
	}
}

// checkIdentity answers with an id and a handle that do not go together. By id,
// a new handle is news about the account. By handle, upper and lower case are one.
func checkIdentity(t *testing.T, st stage, asked Said) {
	answered := platform.AccountRef{ID: asked.Ref.ID, Handle: st.Fixture.Account(beyond).Handle}
	ref := asked.Ref
	if st.by == platform.ByHandle {
		answered = platform.AccountRef{ID: asked.Ref.ID, Handle: swapCase(asked.Ref.Handle)}
		ref.ID = ""
	}
	st.endpoint = st.serve(t, st.always(Said{Ref: answered, Outcome: platform.Found})).URL
	got, err := st.open(t, nil).Observe(t.Context(), st.by, []platform.AccountRef{ref})
	st.expect(t, got, err, []Said{{Ref: ref, Outcome: platform.Found}})
	if p := got[0].Profile; p != nil && (p.ID != answered.ID || p.Handle != answered.Handle) {
		t.Errorf("the profile is of %s %s, the answer of %s %s", p.ID, p.Handle, answered.ID, answered.Handle)
	}
}

func swapCase(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			b[i] = c ^ 0x20
		}
	}
	return string(b)
}

// checkRefusals asks what must not be sent.
func checkRefusals(t *testing.T, st stage) {
	good := st.accounts(platform.Found)[0]
	for _, bad := range []string{"", " ", good.Ref.ID + "," + good.Ref.ID, "a&b=c", "a\nb", "a b", "../a"} {
		t.Run("key "+bad, func(t *testing.T) {
			st := st
			srv := st.serve(t, st.tell([]Said{good}))
			st.endpoint = srv.URL
			ref := platform.AccountRef{ID: bad}
			if st.by == platform.ByHandle {
				ref = platform.AccountRef{ID: good.Ref.ID, Handle: bad}
			}
			c := st.open(t, nil)
			got, err := c.Observe(t.Context(), st.by, []platform.AccountRef{ref})
			st.expectNothing(t, got, err, platform.KindInvalid)
			if n := len(c.requests()); n != 0 {
				t.Errorf("%d requests", n)
			}
			if st.limits.Batch < 2 {
				return
			}
			got, err = c.Observe(t.Context(), st.by, []platform.AccountRef{good.Ref, ref})
			if err != nil {
				st.expectKind(t, err, platform.KindInvalid)
				return
			}
			st.expect(t, got, err, []Said{good, {Ref: ref, Outcome: platform.Unanswered}})
			if keys := srv.lookups(); len(keys) != 1 || len(keys[0]) != 1 {
				t.Errorf("asked for %q, want one key", keys)
			}
		})
	}
	t.Run("unknown lookup", func(t *testing.T) {
		st := st
		st.endpoint = st.serve(t, st.tell([]Said{good})).URL
		c := st.open(t, nil)
		_, err := c.Observe(t.Context(), "mood", st.refs([]Said{good}))
		st.expectKind(t, err, platform.KindInvalid)
		if n := len(c.requests()); n != 0 {
			t.Errorf("%d requests", n)
		}
	})
}
