package x

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

// baseURL begins picture URLs: where the client found us, unless configured.
func (s *server) baseURL(r *http.Request) string {
	if s.opts.BaseURL != "" {
		return strings.TrimSuffix(s.opts.BaseURL, "/")
	}
	return "http://" + r.Host
}

const imageSuffix = "_normal.png"

// imageURL contains the picture's version, so it changes with the picture, as on X.
func imageURL(base string, a *world.Account) string {
	version, err := world.ImageVersion(a.Image)
	if a.Image == "" || err != nil {
		return ""
	}
	return base + EndpointImages + "/" + version + "/" + url.PathEscape(a.Image) + imageSuffix
}

func bannerURL(base string, a *world.Account) string {
	version, err := world.ImageVersion(a.Banner)
	if a.Banner == "" || err != nil {
		return ""
	}
	return base + EndpointBanners + "/" + a.ID + "/" + version
}

func (s *server) profileImage(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutSuffix(r.PathValue("file"), imageSuffix)
	if !ok {
		s.errors.Status(w, http.StatusNotFound)
		return
	}
	s.picture(w, r, name)
}

func (s *server) banner(w http.ResponseWriter, r *http.Request) {
	a, ok := s.world.Account(world.X, r.PathValue("id"))
	if !ok {
		s.errors.Status(w, http.StatusNotFound)
		return
	}
	s.picture(w, r, a.Banner)
}

// picture serves a picture under its own version only.
func (s *server) picture(w http.ResponseWriter, r *http.Request, name string) {
	version, err := world.ImageVersion(name)
	if err != nil || version != r.PathValue("version") {
		s.errors.Status(w, http.StatusNotFound)
		return
	}
	data, err := world.Image(name)
	if err != nil {
		s.errors.Status(w, http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "max-age=604800, must-revalidate")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}
