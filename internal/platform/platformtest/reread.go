package platformtest

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mithaq.dev/mithaq/internal/platform"
)

// checkRereads looks posts up again of which every second one is gone.
func checkRereads(t *testing.T, st stage) {
	chronicle, ok := st.Fixture.(Chronicle)
	if !ok || st.Adapter.Rereads.Batch == 0 {
		t.Skip("no rereads, or no fixture that plays them")
	}
	account := st.Fixture.Account(0)
	there := make(map[string]platform.Act)
	var refs []platform.PostRef
	for i := range min(4, st.Adapter.Rereads.Batch) {
		act := chronicle.Act(platform.StreamPosts, account, i)
		refs = append(refs, platform.PostRef{Account: account, ID: act.ID})
		if i%2 == 0 {
			there[act.ID] = act
		}
	}
	truth := func(w http.ResponseWriter, r *http.Request) {
		if st.Fixture.Aux(w, r) {
			return
		}
		post := func(id string) (platform.Act, bool) { act, ok := there[id]; return act, ok }
		if err := chronicle.PlayPosts(w, r, post); err != nil {
			t.Errorf("the platform would not accept %s %s: %v", r.Method, r.URL.Path, err)
		}
	}
	t.Run("truthful", func(t *testing.T) {
		states, err := st.openAll(t, serving(t, truth).URL).Reread.Reread(t.Context(), refs)
		if err != nil || len(states) != len(refs) {
			t.Fatalf("%d states of %d posts: %v", len(states), len(refs), err)
		}
		for i, s := range states {
			st.checkState(t, refs[i], s, there)
		}
	})
	for name, bad := range spoiled(truth) {
		t.Run(name, func(t *testing.T) {
			states, err := st.openAll(t, serving(t, bad).URL).Reread.Reread(t.Context(), refs)
			if err != nil {
				st.expectKind(t, err, platform.KindUnavailable)
				return
			}
			for _, s := range states {
				if s.Outcome != platform.Unanswered {
					t.Errorf("the post %s is %s", s.Ref.ID, s.Outcome)
				}
				st.expectKind(t, s.Err, platform.KindUnavailable)
			}
		})
	}
	t.Run("too many, and none", func(t *testing.T) {
		srv := serving(t, truth)
		reread := st.openAll(t, srv.URL).Reread
		_, err := reread.Reread(t.Context(), make([]platform.PostRef, st.Adapter.Rereads.Batch+1))
		st.expectKind(t, err, platform.KindInvalid)
		if states, err := reread.Reread(t.Context(), nil); err != nil || len(states) != 0 || srv.requests.Load() != 0 {
			t.Errorf("%d states, %d requests, %v", len(states), srv.requests.Load(), err)
		}
	})
}

// checkState accepts, for a post that is gone, a platform that does not tell gone
// from hidden.
func (st stage) checkState(t *testing.T, ref platform.PostRef, s platform.PostState, there map[string]platform.Act) {
	t.Helper()
	want, ok := there[ref.ID]
	switch {
	case s.Ref != ref || (s.Act != nil) != (s.Outcome == platform.Found) || (s.Err != nil) != (s.Outcome == platform.Unanswered):
		t.Errorf("%+v for %+v", s, ref)
	case ok && s.Act == nil:
		t.Errorf("the post %s is %s: %v", ref.ID, s.Outcome, s.Err)
	case ok:
		if diff := cmp.Diff(want, *s.Act); diff != "" {
			t.Error(diff)
		}
	case s.Outcome == platform.Found:
		t.Errorf("the post %s is gone, and was found", ref.ID)
	case s.Outcome == platform.Unanswered:
		st.expectKind(t, s.Err, platform.KindNotFound)
	}
}
