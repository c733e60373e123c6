// Package text makes text comparable as people read it: folding (Arabic and
// Latin), whole words with their clitics, many terms at once, the language of a
// text, look-alike characters, and what must never be shown. It is pure.
package text
