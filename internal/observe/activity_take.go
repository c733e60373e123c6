package observe

import (
	"slices"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// takeIn takes in what one account did.
func (e *Engine) takeIn(r *reading, i int, answer *platform.ActivityAnswer, now time.Time) {
	t, s := r.targets[i], r.streams[i]
	if t.stream(r.stream) != s || t.id != r.asks[i].Ref.ID {
		return // it left, is another by now, or is to be read anew
	}
	if answer.Err != nil {
		if kind := platform.KindOf(answer.Err); refusal(kind) {
			e.refuse(r, i, kind)
		} else {
			s.waits = true
		}
		return
	}
	first, refused := s.At.IsZero(), s.refused != ""
	s.refused, s.part, s.waits = "", 0, false
	var acts []platform.Act
	var gone []string
	if r.read.Ordered {
		acts = s.advance(answer, r.counters[i], now)
	} else {
		acts, gone = s.list(answer, r.read.Actions, t.activity.want.Posts, now)
	}
	if len(acts)+len(gone) > 0 || refused || first && !s.At.IsZero() {
		t.activity.tell(acts, gone)
		e.tell(t)
	}
}

// refuse notes that the platform does not show a stream of an account. It is asked
// again in the next lap.
func (e *Engine) refuse(r *reading, i int, kind platform.Kind) {
	t, s := r.targets[i], r.streams[i]
	if t.stream(r.stream) != s {
		return
	}
	why := "the platform refuses the question about the " + lists[r.stream]
	switch {
	case kind == platform.KindUnauthorized && r.read.OwnToken:
		why = "the platform refuses the token of the account"
	case kind == platform.KindUnauthorized:
		why = "the platform refuses access to the " + lists[r.stream]
	case kind == platform.KindNotFound:
		why = "the platform does not find the " + lists[r.stream]
	}
	s.part, s.again = 0, false
	if s.refused != why {
		s.refused = why
		t.activity.tell(nil, nil)
		e.tell(t)
	}
}

// advance takes in a part of a list that comes newest first. A first reading ends
// when it told enough: what is older than that is not wanted, now or later.
func (s *stream) advance(answer *platform.ActivityAnswer, counter string, now time.Time) []platform.Act {
	acts := slices.DeleteFunc(slices.Clone(answer.Acts), func(a platform.Act) bool {
		if s.capped {
			return !a.At.After(s.Since)
		}
		return !a.At.IsZero() && a.At.Before(s.Since)
	})
	s.Cursor = answer.Cursor
	s.acts += len(acts)
	s.pages++
	if answer.More {
		s.turn()
		if s.At.IsZero() && s.acts >= firstActs {
			s.capped = true
			s.Since = oldest(acts, now)
			s.At, s.Counter = now, counter
		}
		return acts
	}
	s.end(counter, now)
	return acts
}

// turn goes on to the next page, at once or in the next lap.
func (s *stream) turn() {
	s.again = s.pages < maxPages
	s.waits = !s.again
}

// end ends a reading that has come up to now.
func (s *stream) end(counter string, now time.Time) {
	s.At, s.Counter = now, counter
	s.acts, s.pages, s.capped, s.again = 0, 0, false, false
}

// oldest is when the oldest act was done; without acts that tell, now.
func oldest(acts []platform.Act, now time.Time) time.Time {
	at := now
	for _, a := range acts {
		if !a.At.IsZero() && a.At.Before(at) {
			at = a.At
		}
	}
	return at
}

// list takes in a part of a list that is read whole each time. What it lacks twice
// in a row is gone: one answer proves nothing.
func (s *stream) list(answer *platform.ActivityAnswer, actions []platform.Action, watched []PostWant, now time.Time) (fresh []platform.Act, gone []string) {
	if s.listing == nil {
		s.listing = map[string]bool{}
	}
	if s.missed == nil {
		s.missed = map[string]int{}
	}
	for _, a := range answer.Acts {
		if times, known := s.missed[a.ID]; (!known || times > 1) && !s.listing[a.ID] {
			fresh = append(fresh, a)
		}
		s.listing[a.ID] = true
	}
	s.Cursor = answer.Cursor
	s.pages++
	if answer.More {
		s.turn()
		return fresh, nil
	}
	held := map[string]bool{}
	for _, p := range watched {
		if slices.Contains(actions, p.Action) {
			held[p.ID] = true
			s.missed[p.ID] += 0
		}
	}
	gone = s.compare(held)
	s.Cursor, s.listing = "", nil
	s.end("", now)
	return fresh, gone
}

// compare finds what a whole list lacks. What is held elsewhere is remembered until
// it is not, so that it is told once.
func (s *stream) compare(held map[string]bool) (gone []string) {
	for id := range s.missed {
		if s.listing[id] {
			continue
		}
		s.missed[id]++
		if s.missed[id] == 2 {
			gone = append(gone, id)
		}
		if s.missed[id] > 1 && !held[id] {
			delete(s.missed, id)
		}
	}
	for id := range s.listing {
		s.missed[id] = 0
	}
	slices.Sort(gone)
	return gone
}
