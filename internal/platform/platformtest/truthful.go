package platformtest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"mithaq.dev/mithaq/internal/platform"
)

// checkTruthful runs what holds on any server that tells the truth.
func checkTruthful(t *testing.T, st stage) {
	st.limits = st.Adapter.Profiles[st.by]
	st.known = slices.DeleteFunc(slices.Clone(st.known), func(s Said) bool { return st.key(s.Ref) == "" })
	if len(st.known) == 0 {
		t.Skip("no known accounts")
	}
	t.Run("order and completeness", func(t *testing.T) {
		c := st.open(t, nil)
		for _, known := range [][]Said{st.known, reversed(st.known), st.known[:1]} {
			for part := range slices.Chunk(known, st.limits.Batch) {
				got, err := c.Observe(t.Context(), st.by, st.refs(part))
				st.expect(t, got, err, part)
			}
		}
	})
	t.Run("the same account twice", func(t *testing.T) {
		if st.limits.Batch < 2 {
			t.Skip("one account per request")
		}
		twice := []Said{st.known[0], st.known[0]}
		got, err := st.open(t, nil).Observe(t.Context(), st.by, st.refs(twice))
		st.expect(t, got, err, twice)
	})
	t.Run("no accounts, no request", func(t *testing.T) {
		c := st.open(t, nil)
		got, err := c.Observe(t.Context(), st.by, nil)
		if err != nil || len(got) != 0 || len(c.requests()) != 0 {
			t.Errorf("got %d observations, error %v, %d requests; want none", len(got), err, len(c.requests()))
		}
	})
	t.Run("too many accounts, no request", func(t *testing.T) {
		c := st.open(t, nil)
		refs := make([]platform.AccountRef, st.limits.Batch+1)
		for i := range refs {
			refs[i] = st.known[i%len(st.known)].Ref
		}
		_, err := c.Observe(t.Context(), st.by, refs)
		st.expectKind(t, err, platform.KindInvalid)
		if n := len(c.requests()); n != 0 {
			t.Errorf("%d requests", n)
		}
	})
	t.Run("a context that is done", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := st.open(t, nil).Observe(ctx, st.by, st.refs(st.known[:1]))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled in its chain", err)
		}
	})
	t.Run("the bucket is told", func(t *testing.T) {
		c := st.open(t, nil)
		if _, err := c.Observe(t.Context(), st.by, st.refs(st.known[:1])); err != nil {
			t.Fatalf("Observe: %v", err)
		}
		for _, u := range c.usages() {
			if u.Bucket != st.budget().Bucket || u.Limit < u.Remaining || u.Remaining < 0 {
				t.Errorf("the usage %+v is not one of the bucket %q", u, st.budget().Bucket)
			}
		}
	})
}

func (st stage) expectKind(t *testing.T, err error, kind platform.Kind) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", kind)
	}
	st.checkError(t, err)
	if got := platform.KindOf(err); got != kind {
		t.Errorf("the error's kind is %s, want %s: %v", got, kind, err)
	}
}

func reversed(said []Said) []Said {
	out := slices.Clone(said)
	slices.Reverse(out)
	return out
}
