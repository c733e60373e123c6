package youtube

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

// imageURL contains the picture's version, so it changes with the picture; empty
// for none.
func imageURL(base, name string) string {
	version, err := world.ImageVersion(name)
	if name == "" || err != nil {
		return ""
	}
	return base + EndpointImages + "/" + version + "/" + url.PathEscape(name)
}

// pictureOf is the same picture in three sizes. Who has none has the platform's
// silhouette, as on YouTube.
func pictureOf(base, name string) thumbnails {
	if name == "" {
		name = "default"
	}
	at := imageURL(base, name)
	return thumbnails{
		thumbnail{at + "=s88-c-k-c0x00ffffff-no-rj", 88, 88},
		thumbnail{at + "=s240-c-k-c0x00ffffff-no-rj", 240, 240},
		thumbnail{at + "=s800-c-k-c0x00ffffff-no-rj", 800, 800},
	}
}

// picture serves a picture under its own version only, whatever size is asked for.
func (s *server) picture(w http.ResponseWriter, r *http.Request) {
	name, _, _ := strings.Cut(r.PathValue("file"), "=")
	version, err := world.ImageVersion(name)
	if err != nil || version != r.PathValue("version") {
		http.NotFound(w, r)
		return
	}
	data, err := world.Image(name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "public, max-age=86400, no-transform")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}
