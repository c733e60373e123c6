package gate_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"testing"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

func TestHugeBodyIsLargeAndEndsWithTheClient(t *testing.T) {
	b := newBench(t)
	b.fault(t, world.Fault{Kind: world.FaultHugeBody})
	resp, err := http.Get(b.url + "/api")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.CopyN(io.Discard, resp.Body, 8<<20); err != nil {
		t.Errorf("got %d bytes, %v", n, err)
	}
}

func TestGzipBombIsSmallUntilInflated(t *testing.T) {
	b := newBench(t)
	b.fault(t, world.Fault{Kind: world.FaultGzipBomb})
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	resp, err := client.Get(b.url + "/api")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	sent := &countingReader{r: resp.Body}
	z, err := gzip.NewReader(sent)
	if err != nil || resp.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("encoding %q, %v", resp.Header.Get("Content-Encoding"), err)
	}
	n, err := io.Copy(io.Discard, z)
	if err != nil || n != 1<<30 || sent.n > 2<<20 {
		t.Errorf("%d bytes inflate to %d, %v", sent.n, n, err)
	}
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
