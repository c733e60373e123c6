package world

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"sync"
)

// painter gives the colour at x, y from -1 to 1 for one of 64 variants.
type painter func(x, y float64, variant uint8) color.RGBA

type imageKind struct {
	width, height int
	paint         painter
	// noise is the most by which a channel differs from what paint says.
	noise int
}

// The pictures are drawn by code so that the repository carries no binaries.
var imageKinds = map[string]imageKind{
	"emblem":              {96, 96, paintEmblem, 0},
	"emblem-recompressed": {96, 96, paintEmblem, 3},
	"foreign":             {96, 96, paintForeign, 0},
	"default":             {96, 96, paintDefault, 0},
	"banner":              {300, 100, paintBanner, 0},
	"banner-foreign":      {300, 100, paintForeign, 0},
}

var imagePattern = regexp.MustCompile(`^([a-z-]{1,32})(?::([A-Za-z0-9_-]{1,32}))?$`)

// parseImage splits "kind" or "kind:seed" into the kind and the seed's variant.
func parseImage(name string) (kind string, variant uint8, err error) {
	m := imagePattern.FindStringSubmatch(name)
	if m == nil {
		return "", 0, fmt.Errorf("image %q does not match %s", name, imagePattern)
	}
	if _, ok := imageKinds[m[1]]; !ok {
		return "", 0, fmt.Errorf("image %q: %q is not emblem, emblem-recompressed, foreign, default, banner or banner-foreign", name, m[1])
	}
	if m[2] != "" {
		h := fnv.New32a()
		h.Write([]byte(m[2]))
		variant = h.Sum(nil)[3] % 64
	}
	return m[1], variant, nil
}

type picture struct {
	png     []byte
	version string
}

type pictureKey struct {
	kind    string
	variant uint8
}

// pictures caches the at most 64 variants of each kind.
var pictures sync.Map

// Image returns the PNG of "emblem" (96 by 96 pixels), "emblem-recompressed"
// (the same with slight noise), "foreign" (clearly different), "default",
// "banner" or "banner-foreign" (300 by 100), or of "kind:seed" for one of 64
// variants of a kind. The same name gives the same bytes, which must not be
// changed. Other names fail with ErrInvalid.
func Image(name string) ([]byte, error) {
	p, err := pictureOf(name)
	if err != nil {
		return nil, err
	}
	return p.png, nil
}

// ImageVersion is a decimal number from a hash of the picture's bytes, for use
// in URLs that change with the picture. Unknown names fail with ErrInvalid.
func ImageVersion(name string) (string, error) {
	p, err := pictureOf(name)
	if err != nil {
		return "", err
	}
	return p.version, nil
}

func pictureOf(name string) (*picture, error) {
	kind, variant, err := parseImage(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	key := pictureKey{kind, variant}
	if p, ok := pictures.Load(key); ok {
		return p.(*picture), nil
	}
	var b bytes.Buffer
	if err := png.Encode(&b, draw(imageKinds[kind], variant)); err != nil {
		return nil, fmt.Errorf("encoding image %q: %w", name, err)
	}
	sum := sha256.Sum256(b.Bytes())
	version := strconv.FormatUint(binary.BigEndian.Uint64(sum[:])>>1, 10)
	p, _ := pictures.LoadOrStore(key, &picture{b.Bytes(), version})
	return p.(*picture), nil
}

func draw(k imageKind, variant uint8) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, k.width, k.height))
	noise := rand.New(rand.NewPCG(uint64(variant), 1))
	for py := range k.height {
		for px := range k.width {
			x := (2*float64(px) + 1 - float64(k.width)) / float64(k.height)
			y := (2*float64(py) + 1 - float64(k.height)) / float64(k.height)
			c := k.paint(x, y, variant)
			if k.noise > 0 {
				c.R, c.G, c.B = jitter(noise, c.R, k.noise), jitter(noise, c.G, k.noise), jitter(noise, c.B, k.noise)
			}
			img.SetRGBA(px, py, c)
		}
	}
	return img
}

func jitter(r *rand.Rand, v uint8, most int) uint8 {
	return uint8(min(max(int(v)+r.IntN(2*most+1)-most, 0), 255))
}

var (
	white = color.RGBA{255, 255, 255, 255}
	green = color.RGBA{0, 98, 51, 255}
	gold  = color.RGBA{201, 162, 39, 255}
	grey  = color.RGBA{207, 217, 222, 255}
	dark  = color.RGBA{20, 20, 28, 255}
	pink  = color.RGBA{224, 36, 94, 255}
)

// paintEmblem is a ring around a star whose points follow the variant.
func paintEmblem(x, y float64, variant uint8) color.RGBA {
	r, angle := math.Hypot(x, y), math.Atan2(x, -y)
	points := float64(5 + variant%8)
	body := green
	body.B += variant / 8 * 16
	switch {
	case r > 0.96:
		return white
	case r > 0.84:
		return body
	case r > 0.78:
		return white
	case r < 0.42+0.22*math.Cos(points*angle):
		return gold
	}
	return body
}

// paintForeign is slanted stripes with a disc off the centre.
func paintForeign(x, y float64, variant uint8) color.RGBA {
	if math.Hypot(x-0.45, y+0.4) < 0.35 {
		return white
	}
	if math.Mod(x+y+float64(variant)/64+8, 0.5) < 0.25 {
		return dark
	}
	return pink
}

// paintDefault is the silhouette of somebody without a picture.
func paintDefault(x, y float64, _ uint8) color.RGBA {
	if math.Hypot(x, y+0.25) < 0.36 || math.Hypot(x, (y-1)*0.8) < 0.62 {
		return white
	}
	return grey
}

// paintBanner fades from green to gold.
func paintBanner(x, y float64, variant uint8) color.RGBA {
	t := (x + 3) / 6
	mix := func(a, b uint8) uint8 { return uint8(float64(a)*(1-t) + float64(b)*t) }
	if math.Abs(y-0.4*math.Sin(x*(2+float64(variant%8)))) < 0.06 {
		return white
	}
	return color.RGBA{mix(green.R, gold.R), mix(green.G, gold.G), mix(green.B, gold.B), 255}
}
