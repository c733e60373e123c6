package text

import (
	"strings"
	"unicode"
)

// Detect names the language that leads in s, as a BCP 47 tag, and how sure it is,
// from 0 to 1. It knows ar, fa, ur, ckb, ps; en, fr, es, pt, de, it, nl, tr, id, ms,
// sv; ru, uk; el, he, hi, bn, ta, th, ko, ja, zh, am, hy, ka. Links, mentions and
// digits say nothing. Without any evidence the language is "" and the confidence 0.
//
// The script decides first. Among languages of one script their own letters and
// their function words do. The confidence is the share of letters in the leading
// script, times (a+½)/(a+b+1) against the closest rival, where a words speak for the
// language alone and b for the rival alone.
func Detect(s string) (language string, confidence float64) {
	var e evidence
	e.read(s)
	script, share := e.leading()
	switch script {
	case scriptNone:
		return "", 0
	case scriptArabic:
		return e.best(arabicLanguages, share)
	case scriptLatin:
		return e.best(latinLanguages, share)
	case scriptCyrillic:
		return e.best(cyrillicLanguages, share)
	case scriptHan:
		if e.letters[scriptKana] > 0 {
			return "ja", share
		}
		return "zh", share
	default:
		return script.language(), share
	}
}

// evidence is what speaks for each language.
type evidence struct {
	letters [scripts]int
	// points counts the words that speak for a language.
	points [len(languages)]int
	// alone counts those that speak for the first language and not for the second.
	alone [len(languages)][len(languages)]int
}

// read takes in words, which end at anything but a letter or mark.
func (e *evidence) read(s string) {
	for _, field := range strings.Fields(s) {
		if isAddress(field) {
			continue
		}
		for _, word := range strings.FieldsFunc(field, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && r != zwnj }) {
			e.word(word)
		}
	}
}

// isAddress says that a field is a mention, a link or an e-mail address.
func isAddress(field string) bool {
	return strings.Contains(field, "@") || strings.Contains(field, "://") || len(field) > 4 && strings.EqualFold(field[:4], "www.")
}

func (e *evidence) word(word string) {
	var found uint64
	for _, r := range word {
		e.letters[scriptOf(r)]++
		found |= letterLanguages[r]
	}
	found |= wordLanguages()[strings.ToLower(word)]
	e.vote(found)
}

// vote counts a word for the languages that it speaks for.
func (e *evidence) vote(found uint64) {
	if found == 0 {
		return
	}
	for i := range languages {
		if found>>i&1 == 0 {
			continue
		}
		e.points[i]++
		for j := range languages {
			if found>>j&1 == 0 {
				e.alone[i][j]++
			}
		}
	}
}

// leading is the script of most letters and its share of them. Han and kana are one.
func (e *evidence) leading() (script, float64) {
	total, best := 0, scriptNone
	letters := e.letters
	letters[scriptHan] += letters[scriptKana]
	letters[scriptKana], letters[scriptNone] = 0, 0
	for sc, n := range letters {
		total += n
		if n > letters[best] {
			best = script(sc)
		}
	}
	if total == 0 {
		return scriptNone, 0
	}
	return best, float64(letters[best]) / float64(total)
}

// best is the language of a range that most words speak for.
func (e *evidence) best(of languageRange, share float64) (string, float64) {
	best := of.from
	for i := of.from; i < of.to; i++ {
		if e.points[i] > e.points[best] {
			best = i
		}
	}
	if e.points[best] == 0 {
		return "", 0
	}
	certainty := 1.0
	for i := of.from; i < of.to; i++ {
		if i != best {
			a, b := float64(e.alone[best][i]), float64(e.alone[i][best])
			certainty = min(certainty, (a+0.5)/(a+b+1))
		}
	}
	return languages[best], share * certainty
}
