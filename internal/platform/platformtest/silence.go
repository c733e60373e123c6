package platformtest

import (
	"slices"
	"testing"

	"mithaq.dev/mithaq/internal/platform"
)

// Silent is a Fixture of a platform whose answers name only what they found: an
// account that is gone is absent, and nothing else is said of it (YouTube). Its
// Answer leaves out what was not found.
type Silent interface{ Silent() }

func (st stage) silent() bool {
	_, ok := st.Fixture.(Silent)
	return ok
}

// checkSilence shows answers in which an absence must not be believed, because they
// name somebody else, and those in which it may be.
func checkSilence(t *testing.T, st stage, asked []Said, foreign Said) {
	first := asked[0]
	as := func(o platform.Outcome) Said { return Said{Ref: first.Ref, Outcome: o} }
	play := func(name string, want []Said, said ...Said) {
		t.Run(name, func(t *testing.T) {
			st := st
			st.endpoint = st.serve(t, st.always(said...)).URL
			got, err := st.open(t, nil).Observe(t.Context(), st.by, st.refs(want))
			if len(want) == 1 && want[0].Outcome == platform.Unanswered {
				st.expectNothing(t, got, err, platform.KindUnavailable)
				return
			}
			st.expect(t, got, err, want)
		})
	}
	play("accounts nobody asked for", asked, slices.Concat([]Said{foreign}, asked)...)
	play("another account in its place", []Said{as(platform.Unanswered)}, foreign)
	play("nobody at all", []Said{as(platform.NotFound)})
	play("found twice", []Said{first}, first, first)
	if len(asked) > 1 {
		rest := asked[1:]
		play("one absent", slices.Concat([]Said{as(platform.NotFound)}, rest), reversed(rest)...)
		play("one absent beside another account", slices.Concat([]Said{as(platform.Unanswered)}, rest), slices.Concat(rest, []Said{foreign})...)
	}
}
