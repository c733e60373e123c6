package text

import (
	"bufio"
	"os"
	"strings"
	"testing"
)

// rows reads a file of tab-separated fields; # begins a comment line.
func rows(t *testing.T, name string, fields int) [][]string {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // read only
	var out [][]string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "# ") {
			continue
		}
		row := strings.Split(lines.Text(), "\t")
		if len(row) != fields {
			t.Fatalf("%s: %q has not %d fields", name, lines.Text(), fields)
		}
		out = append(out, row)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func matcher(t testing.TB, fold Folding, terms ...string) *Matcher {
	t.Helper()
	m, err := NewMatcher(terms, fold)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestArabicReadersAgree(t *testing.T) {
	var hits, misses, wrong int
	all := rows(t, "testdata/arabic.tsv", 4)
	for _, row := range all {
		term, text, note := row[0], row[1], row[3]
		want, got := row[2] == "yes", len(matcher(t, Arabic, term).Find(text, 1)) > 0
		switch {
		case !want && row[2] != "no":
			t.Fatalf("%q is neither yes nor no", row[2])
		case want && got:
			hits++
		case want:
			misses++
			t.Errorf("%q is not found in %q: %s", term, text, note)
		case got:
			wrong++
			t.Errorf("%q is found in %q: %s", term, text, note)
		}
	}
	t.Logf("%d pairs: precision %.3f, recall %.3f", len(all), float64(hits)/float64(hits+wrong), float64(hits)/float64(hits+misses))
	if len(all) < 120 {
		t.Errorf("the corpus has only %d pairs", len(all))
	}
}
