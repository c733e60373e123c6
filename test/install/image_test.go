package install

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Whatever the operator is compiled from reaches the build of its image: .dockerignore
// lets it through, and the Dockerfile copies it.
func TestTheImageIsBuiltOfAllThatTheOperatorNeeds(t *testing.T) {
	let, copied := sources(t, ".dockerignore", "!"), sources(t, "Dockerfile", "COPY ")
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f",
		`{{if and .Module .Module.Main}}{{$dir := .Dir}}{{range .GoFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{end}}`, ".")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	base, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for file := range strings.FieldsSeq(string(out)) {
		name, err := filepath.Rel(base, file)
		if err != nil {
			t.Fatal(err)
		}
		seen++
		top, _, _ := strings.Cut(name, "/")
		if !slices.Contains(let, top) || !slices.Contains(copied, top) || strings.Contains(name, "testdata/") {
			t.Errorf("%s does not reach the image: let through %v, copied %v", name, let, copied)
		}
	}
	if seen < 100 {
		t.Errorf("only %d files were looked at", seen)
	}
}

// sources are the words of a file's lines that begin so.
func sources(t *testing.T, file, prefix string) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, prefix); ok && !strings.HasPrefix(rest, "--from") {
			words = append(words, strings.Fields(rest)...)
		}
	}
	return words
}
