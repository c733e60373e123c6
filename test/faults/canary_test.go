package faults

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// marks are the forms in which a canary shows: plain, and in base64 at each of the
// three offsets that it can have there.
func marks() [][]byte {
	out := [][]byte{[]byte(mark)}
	for pad := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", pad) + mark))
		from := []int{0, 2, 3}[pad]
		out = append(out, []byte(text[from:len(text)-4]))
	}
	return out
}

// search looks for canaries in a stream and returns the line that holds one.
func search(r io.Reader) (string, error) {
	const keep = 64
	buffer := make([]byte, 1<<20)
	have := 0
	for {
		n, err := r.Read(buffer[have:])
		have += n
		for _, m := range marks() {
			if i := bytes.Index(buffer[:have], m); i >= 0 {
				return string(buffer[max(i-200, 0):min(i+20, have)]), nil
			}
		}
		if errors.Is(err, io.EOF) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		if have > len(buffer)/2 {
			copy(buffer, buffer[have-keep:have])
			have = keep
		}
	}
}

// checkSilence is I8 for one play: its events, errors and statuses.
func (p *play) checkSilence(t *track) {
	p.c.canaries.Add(int64(len(p.raw) + len(p.codes)))
	shown, err := t.shown()
	if err != nil {
		p.violated("I8: the statuses cannot be read: %v", err)
		return
	}
	for _, text := range append(p.texts, string(shown)) {
		if found, err := search(strings.NewReader(text)); err != nil || found != "" {
			p.violated("I8: an event, an error or a status holds a secret: %s (%v)", found, err)
		}
	}
}

// silent is I8 for the whole run: the logs, the metrics, and what the API server's
// audit log holds of requests and answers about everything but Secrets.
func silent() error {
	shared.result.Canaries = shared.canaries.Load()
	metrics := &strings.Builder{}
	families, err := shared.registry.Gather()
	if err != nil {
		return err
	}
	for _, f := range families {
		_, _ = fmt.Fprintln(metrics, f) // a Builder takes everything
	}
	if found, err := search(strings.NewReader(metrics.String())); err != nil || found != "" {
		return fmt.Errorf("I8: a metric holds a secret: %s (%w)", found, err)
	}
	logs, err := filepath.Glob(filepath.Join(shared.dir, "*.log"))
	if err != nil {
		return err
	}
	for _, path := range logs {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		size, err := file.Seek(0, io.SeekEnd)
		if err != nil {
			return err
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		found, err := search(file)
		if err = errors.Join(err, file.Close()); err != nil {
			return err
		}
		if found != "" {
			return fmt.Errorf("I8: %s holds a secret: %s", filepath.Base(path), found)
		}
		if path == shared.audit && size == 0 {
			return errors.New("I8: the audit log is empty: nothing was searched")
		}
		fmt.Printf("faults: no secret in %s (%d bytes)\n", filepath.Base(path), size)
	}
	return nil
}

// The search finds a canary wherever it stands, in plain text and in base64.
func TestACanaryIsFound(t *testing.T) {
	for pad := range 7 {
		for _, text := range []string{
			strings.Repeat("x", 1<<20-pad) + mark + "yy", strings.Repeat("z", 1<<19-pad) + mark,
			base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", pad) + mark + "-token")),
		} {
			if found, err := search(strings.NewReader(text)); err != nil || found == "" {
				t.Errorf("not found at %d of %d bytes: %v", pad, len(text), err)
			}
		}
	}
	if found, err := search(strings.NewReader(strings.Repeat("nothing ", 1<<18))); err != nil || found != "" {
		t.Errorf("found %q: %v", found, err)
	}
}
