package media

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/gif"  // a format of profile images
	_ "image/jpeg" // a format of profile images
	_ "image/png"  // a format of profile images
	"math/bits"
	"net/http"
	"strconv"

	"github.com/corona10/goimagehash"
	_ "golang.org/x/image/webp" // a format of profile images

	"mithaq.dev/mithaq/internal/platform"
)

// hashDigits is the length of a perceptual hash.
const hashDigits = 16

// hash is the difference hash of the image that data encodes. What data is, the
// decoders tell, not its content type. The dimensions are read first: a small
// file can decode to gigabytes.
func (f *Fetcher) hash(data []byte) (string, error) {
	config, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || config.Width <= 0 || config.Height <= 0 {
		return "", fail(platform.KindUnavailable, http.StatusOK, errAnswer)
	}
	if config.Width > f.cfg.MaxPixels/config.Height {
		return "", fail(platform.KindInvalid, http.StatusOK, errTooLarge)
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil || img.Bounds().Empty() {
		return "", fail(platform.KindUnavailable, http.StatusOK, errAnswer)
	}
	hash, err := goimagehash.DifferenceHash(flatten(img))
	if err != nil {
		return "", fail(platform.KindUnavailable, http.StatusOK, errAnswer)
	}
	return fmt.Sprintf("%0*x", hashDigits, hash.GetHash()), nil
}

// flatten paints img on white, at the origin. The hash then is of what a reader
// sees: it would read the colour that a transparent pixel hides, and it treats
// each encoding's colour model in its own way.
func flatten(img image.Image) image.Image {
	flat := image.NewRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
	draw.Draw(flat, flat.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(flat, flat.Bounds(), img, img.Bounds().Min, draw.Over)
	return flat
}

var errHash = errors.New("a perceptual hash is not 16 hex digits")

// Distance is the number of bits in which two perceptual hashes differ.
func Distance(a, b string) (int, error) {
	x, err := parse(a)
	if err != nil {
		return 0, err
	}
	y, err := parse(b)
	if err != nil {
		return 0, err
	}
	return bits.OnesCount64(x ^ y), nil
}

func parse(hash string) (uint64, error) {
	n, err := strconv.ParseUint(hash, 16, 64)
	if err != nil || len(hash) != hashDigits {
		return 0, errHash
	}
	return n, nil
}
