package meta

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash/fnv"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

const imagePrefix = EndpointImages + "/"

func imagePath(path string) (name string, ok bool) { return strings.CutPrefix(path, imagePrefix) }

// signedURLs are those of one epoch, by picture.
type signedURLs struct {
	epoch  int64
	byName sync.Map
}

// urlsOf forgets the URLs of earlier epochs.
func (s *server) urlsOf(epoch int64) *signedURLs {
	kept := s.urls.Load()
	if kept == nil || kept.epoch != epoch {
		kept = &signedURLs{epoch: epoch}
		s.urls.Store(kept)
	}
	return kept
}

// imageURL is signed, and its query changes by itself each URLLife; the path
// changes with the picture only.
func (v *view) imageURL(name string) string {
	epoch := v.now.UnixNano() / int64(v.server.opts.URLLife)
	urls := v.server.urlsOf(epoch)
	if kept, ok := urls.byName.Load(name); ok {
		text, _ := kept.(string)
		return v.req.base + text
	}
	version, err := world.ImageVersion(name)
	if err != nil {
		return ""
	}
	path := imagePrefix + version + "/" + url.PathEscape(name) + ".png"
	// The URL works for one epoch after its own, as if it had been cached.
	expires := strconv.FormatInt(time.Unix(0, (epoch+2)*int64(v.server.opts.URLLife)).Unix(), 16)
	text := path + "?oe=" + expires + "&oh=" + sign(path, expires)
	urls.byName.Store(name, text)
	return v.req.base + text
}

func sign(path, expires string) string {
	mac := hmac.New(sha256.New, []byte("platformsim pictures"))
	mac.Write([]byte(path + "?" + expires))
	return "00_" + hex.EncodeToString(mac.Sum(nil)[:16])
}

// picture serves a picture under its own version, signed and not expired.
func (s *server) picture(file string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		version, escaped, _ := strings.Cut(file, "/")
		name := strings.TrimSuffix(escaped, ".png")
		query := r.URL.Query()
		path := imagePrefix + version + "/" + url.PathEscape(name) + ".png"
		if query.Get("oh") != sign(path, query.Get("oe")) {
			http.Error(w, "Bad URL hash", http.StatusForbidden)
			return
		}
		if until, err := strconv.ParseInt(query.Get("oe"), 16, 64); err != nil || s.world.Now().Unix() >= until {
			http.Error(w, "URL signature expired", http.StatusForbidden)
			return
		}
		data, err := world.Image(name)
		if want, _ := world.ImageVersion(name); err != nil || want != version {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "image/png")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

// number is a stable number made of texts, for ids that the world does not have.
func number(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p))
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64() % 1_000_000_000_000_000
}

// foreignID is the id of somebody nobody asked for.
func foreignID(id string) string { return "9" + strconv.FormatUint(number("foreign", id), 10) }
