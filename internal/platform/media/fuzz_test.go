package media

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"

	"mithaq.dev/mithaq/internal/platform"
)

// FuzzHash shows the decoders arbitrary bytes: a panic would take the operator down.
func FuzzHash(f *testing.F) {
	for _, r := range []image.Rectangle{image.Rect(0, 0, 24, 24), image.Rect(0, 0, 1, 3)} {
		img := image.NewPaletted(r, color.Palette{color.Black, color.White, color.Transparent})
		img.Pix[len(img.Pix)/2] = 1
		var p, j, g bytes.Buffer
		if png.Encode(&p, img) != nil || jpeg.Encode(&j, img, nil) != nil || gif.Encode(&g, img, nil) != nil {
			f.Fatal("the seeds cannot be encoded")
		}
		f.Add(p.Bytes())
		f.Add(j.Bytes())
		f.Add(g.Bytes())
	}
	f.Add([]byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"))
	fetcher := New(Config{MaxPixels: 1 << 16})
	f.Fuzz(func(t *testing.T, data []byte) {
		hash, err := fetcher.hash(data)
		if err != nil {
			if k := platform.KindOf(err); k != platform.KindUnavailable && k != platform.KindInvalid {
				t.Fatal(err)
			}
			return
		}
		if d, err := Distance(hash, hash); d != 0 || err != nil {
			t.Fatalf("hash %q: %v", hash, err)
		}
	})
}
