package media_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"

	"mithaq.dev/mithaq/internal/platform/media"
)

// picture is a gradient with a disc, w by h.
func picture(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{R: uint8(255 * x / w), G: uint8(255 * y / h), B: 90, A: 255}
			if dx, dy := 2*x-w, 2*y-h; dx*dx+dy*dy < w*h/4 {
				c = color.NRGBA{R: 250, G: 250, B: 240, A: 255}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

func encode(t testing.TB, img image.Image, format string) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch format {
	case "png":
		err = png.Encode(&b, img)
	case "jpeg":
		err = jpeg.Encode(&b, img, &jpeg.Options{Quality: 80})
	case "gif":
		err = gif.Encode(&b, img, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// webp is a lossless image of one pixel.
const webp = "RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"

// bomb is the start of a PNG that claims to be w by h.
func bomb(w, h uint32) []byte {
	head := []byte("IHDR")
	head = binary.BigEndian.AppendUint32(head, w)
	head = binary.BigEndian.AppendUint32(head, h)
	head = append(head, 8, 6, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	out = append(out, head...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(head))
}

func TestFormats(t *testing.T) {
	hashes := map[string]string{}
	for _, format := range []string{"png", "jpeg", "gif", "webp"} {
		data := []byte(webp)
		if format != "webp" {
			data = encode(t, picture(160, 160), format)
		}
		srv := serve(t, bytesHandler(data))
		got, err := fetcher(t, media.Config{}, srv).Fetch(t.Context(), srv.URL+"/x_normal?name=1")
		if err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		if sum := sha256.Sum256(data); got.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: SHA-256 %s", format, got.SHA256)
		}
		if len(got.PerceptualHash) != 16 {
			t.Errorf("%s: hash %q", format, got.PerceptualHash)
		}
		hashes[format] = got.PerceptualHash
	}
	for _, format := range []string{"jpeg", "gif"} {
		if d, err := media.Distance(hashes["png"], hashes[format]); err != nil || d > 6 {
			t.Errorf("the same picture as png and %s: distance %d, %v", format, d, err)
		}
	}
}

func hashOf(t *testing.T, data []byte) string {
	t.Helper()
	srv := serve(t, bytesHandler(data))
	got, err := fetcher(t, media.Config{}, srv).Fetch(t.Context(), srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return got.PerceptualHash
}

// The hash is a similarity, and a stable one: it is stored for years.
func TestHash(t *testing.T) {
	large := hashOf(t, encode(t, picture(400, 400), "png"))
	small := hashOf(t, encode(t, picture(48, 48), "jpeg"))
	if d, _ := media.Distance(large, small); d > 8 {
		t.Errorf("the same picture, smaller and compressed: distance %d", d)
	}
	flipped := image.NewNRGBA(image.Rect(0, 0, 400, 400))
	source := picture(400, 400)
	for y := range 400 {
		for x := range 400 {
			flipped.Set(x, y, source.At(399-x, 399-y))
		}
	}
	if d, _ := media.Distance(large, hashOf(t, encode(t, flipped, "png"))); d < 16 {
		t.Errorf("another picture: distance %d", d)
	}
	if want := "fff7f1f1f1f1ffff"; large != want {
		t.Errorf("the hash of the same bytes was %s, is %s", want, large)
	}
}

// What shows is hashed: black that fades out is grey on white, whatever the
// colour below it is.
func TestTransparency(t *testing.T) {
	fading, grey := image.NewNRGBA(image.Rect(0, 0, 64, 64)), image.NewGray(image.Rect(0, 0, 64, 64))
	for y := range 64 {
		for x := range 64 {
			fading.SetNRGBA(x, y, color.NRGBA{A: uint8(255 - 4*x)})
			grey.SetGray(x, y, color.Gray{Y: uint8(4 * x)})
		}
	}
	a, b := hashOf(t, encode(t, fading, "png")), hashOf(t, encode(t, grey, "png"))
	if a != b || a != "ffffffffffffffff" {
		t.Errorf("%s and %s, want every bit set", a, b)
	}
}

// A GIF's frame need not begin at the origin.
func TestFrameWithinAScreen(t *testing.T) {
	var levels color.Palette
	for i := range 64 {
		levels = append(levels, color.Gray{Y: uint8(4 * i)})
	}
	frame, alone := image.NewPaletted(image.Rect(10, 20, 74, 84), levels), image.NewPaletted(image.Rect(0, 0, 64, 64), levels)
	for i := range frame.Pix {
		frame.Pix[i] = uint8(i % 64)
		alone.Pix[i] = uint8(i % 64)
	}
	var b bytes.Buffer
	err := gif.EncodeAll(&b, &gif.GIF{
		Image: []*image.Paletted{frame}, Delay: []int{0}, Config: image.Config{Width: 90, Height: 90, ColorModel: levels},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := hashOf(t, b.Bytes()), hashOf(t, encode(t, alone, "png")); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestDistance(t *testing.T) {
	tests := map[string]struct {
		a, b string
		want int // -1: an error
	}{
		"same":        {"0123456789abcdef", "0123456789ABCDEF", 0},
		"one bit":     {"0000000000000000", "8000000000000000", 1},
		"all bits":    {"0000000000000000", "ffffffffffffffff", 64},
		"too short":   {"0", "0000000000000000", -1},
		"too long":    {"0000000000000000", "00000000000000000", -1},
		"no hex":      {"000000000000000g", "0000000000000000", -1},
		"a sign":      {"+000000000000000", "0000000000000000", -1},
		"underscores": {"0_00000000000000", "0000000000000000", -1},
		"empty":       {"0000000000000000", "", -1},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := media.Distance(tc.a, tc.b)
			if (err != nil) != (tc.want < 0) || err == nil && got != tc.want {
				t.Errorf("got %d, %v; want %d", got, err, tc.want)
			}
		})
	}
}
