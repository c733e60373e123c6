package text

import "slices"

// maxSplits is how many places a word may begin at.
const maxSplits = 8

// match finds what forms the word is, and moves the beginnings of terms on.
func (sc *scanner) match() {
	w := &sc.word
	sc.next = sc.next[:0]
	if w.kind != kindArabic || sc.m.folding == None {
		sc.walk(split{})
	} else {
		var room [maxSplits]split
		for _, at := range w.splits(room[:0]) {
			sc.walk(at)
		}
	}
	sc.active, sc.next = sc.next, sc.active
}

// walk follows the word's letters from a split.
func (sc *scanner) walk(at split) {
	w, t := &sc.word, sc.m.words
	for n, i := int32(0), int(at.at); i < w.n; i++ {
		if n = t.next(n, w.sym[i]); n == 0 {
			return
		}
		if forms := t.nodes[n].forms; forms != 0 {
			sc.try(forms, at, i+1)
		}
	}
}

// try moves on by each form of a list that fits from a split to end.
func (sc *scanner) try(forms int32, at split, end int) {
	w := &sc.word
	for i := forms; ; i++ {
		id := sc.m.words.forms[i]
		if id < 0 {
			return
		}
		f := &sc.m.forms[id]
		if f.fits(w, at, end) && (f.isBare(w, at, end) || !w.isOther(at, end)) {
			sc.move(id)
		}
	}
}

// move continues by a form all terms that it continues or begins.
func (sc *scanner) move(form int32) {
	for _, th := range sc.active {
		if next := sc.m.steps[step{th.state, form}]; next != 0 {
			sc.reach(thread{next, th.start})
		}
	}
	if next := sc.m.first[form]; next != 0 {
		sc.reach(thread{next, sc.word.start})
	}
}

func (sc *scanner) reach(th thread) {
	st := &sc.m.states[th.state]
	end := sc.word.end
	for _, term := range st.terms {
		match := Match{Term: term, Start: th.start, End: end}
		if !sc.done() && !sc.repeats(match) {
			sc.matches = append(sc.matches, match)
		}
	}
	if st.more && !slices.Contains(sc.next, th) {
		sc.next = append(sc.next, th)
	}
}

// repeats says that the match was found already: a word can be read in two ways.
func (sc *scanner) repeats(match Match) bool {
	for i := len(sc.matches) - 1; i >= 0 && sc.matches[i].End == match.End; i-- {
		if sc.matches[i] == match {
			return true
		}
	}
	return false
}
