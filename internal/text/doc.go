// Package text makes text comparable and finds terms in it, with Arabic in mind.
//
// Fold removes what does not change a word: vowel signs, the shape of alef, the
// seat of hamza, tatweel, presentation forms, case. A Matcher finds many terms at
// once: words keep their boundaries, and what Arabic attaches to a word (articles,
// particles, pronouns, number) does not hide it. Detect names a language,
// Similarity says how alike two names look, Unsafe finds what is invisible.
//
// Everything here is a function of its arguments: no clock, no network, and time
// that grows linearly with the text.
package text
