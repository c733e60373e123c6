package platformtest

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	"mithaq.dev/mithaq/internal/platform"
)

// Positional is a Fixture of a platform whose answers hold one place for each key,
// in the order of the request (a batch post). Its Answer keeps the order of said,
// and an Outcome of "" makes an empty place.
type Positional interface{ Positional() }

// Blurred is a Fixture of a platform that does not tell all outcomes apart.
type Blurred interface {
	// Sees is what an adapter that was just opened concludes where the truth is o.
	Sees(by platform.Lookup, o platform.Outcome) platform.Outcome
}

func (st stage) positional() bool {
	_, ok := st.Fixture.(Positional)
	return ok
}

// sees is what can be known of an outcome; a server of one's own is as blurred as
// the platform that it plays.
func (st stage) sees(o platform.Outcome) platform.Outcome {
	fixture := any(st.Fixture)
	if st.Fixture == nil {
		fixture = st.Sight
	}
	if blurred, ok := fixture.(Blurred); ok && o != platform.Unanswered {
		return blurred.Sees(st.by, o)
	}
	return o
}

// tellInOrder answers each key, in the order of the request.
func (st stage) tellInOrder(said []Said) respond {
	return func(w http.ResponseWriter, _ *http.Request, keys []string) {
		out := make([]Said, 0, len(keys))
		for _, key := range keys {
			i := slices.IndexFunc(said, func(s Said) bool { return fold(st.key(s.Ref)) == fold(key) })
			if i >= 0 {
				out = append(out, said[i])
			}
		}
		st.write(w, out)
	}
}

// checkPlaces shows answers whose places are not those that were asked for.
func checkPlaces(t *testing.T, st stage, asked []Said, foreign Said) {
	first := asked[0]
	play := func(name string, requests int, want []Said, answer respond) {
		t.Run(name, func(t *testing.T) {
			st := st
			srv := st.serve(t, answer)
			st.endpoint = srv.URL
			got, err := st.open(t, nil).Observe(t.Context(), st.by, st.refs(want))
			if want[0].Outcome == platform.Unanswered {
				st.expectNothing(t, got, err, platform.KindUnavailable)
			} else {
				st.expect(t, got, err, want)
			}
			if n := len(srv.lookups()); n != requests {
				t.Errorf("%d requests, want %d", n, requests)
			}
		})
	}
	lost := func(said ...Said) []Said {
		for i := range said {
			said[i].Outcome = platform.Unanswered
		}
		return said
	}
	play("another account in its place", 1, lost(first), st.always(foreign))
	play("one place too many", 1, lost(first), st.always(first, foreign))
	play("an empty place for good", 2, lost(first), st.always(Said{Ref: first.Ref}))
	play("an empty place is asked for once more, alone", 2, asked, st.emptyOnce(t, asked))
	if len(asked) > 1 {
		swapped := slices.Clone(asked)
		slices.Reverse(swapped)
		if len(swapped) > 2 {
			swapped = swapped[:2]
		}
		straight := []Said{swapped[1], swapped[0]}
		play("places in another order", 1, lost(straight...), st.always(swapped...))
		play("one place too few", 1, lost(slices.Clone(asked)...), st.always(asked[1:]...))
		gone := slices.Clone(asked)
		gone[len(gone)-1].Outcome = platform.NotFound
		play("one missing", 1, gone, st.tell(gone))
	}
}

// emptyOnce leaves the place of the first account empty the first time; the second
// request must ask for that one alone.
func (st stage) emptyOnce(t *testing.T, asked []Said) respond {
	var times atomic.Int32
	return func(w http.ResponseWriter, r *http.Request, keys []string) {
		said := slices.Clone(asked)
		if times.Add(1) == 1 {
			said[0].Outcome = ""
		} else if len(keys) != 1 || fold(keys[0]) != fold(st.key(asked[0].Ref)) {
			t.Errorf("the second request asks for %q, want the empty place alone", keys)
		}
		st.tellInOrder(said)(w, r, keys)
	}
}
