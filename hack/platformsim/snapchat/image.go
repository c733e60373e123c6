package snapchat

import (
	"bytes"
	"net/http"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

// picture serves a picture under its own version only, whatever size is asked for.
func (s *server) picture(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
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
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}
