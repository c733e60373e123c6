package control

import (
	"fmt"
	"net/http"
	"time"
)

// getReads tells how accounts were read, and how many since the time in the query.
func (s *server) getReads(r *http.Request) (int, any, error) {
	var since time.Time
	if text := r.URL.Query().Get("since"); text != "" {
		var err error
		if since, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return 0, nil, fmt.Errorf("%w: since is no time of RFC 3339", errBody)
		}
	}
	return http.StatusOK, s.world.Reads(since), nil
}

func (s *server) watchReads(*http.Request) (int, any, error) {
	s.world.WatchReads(true)
	return http.StatusNoContent, nil, nil
}

func (s *server) unwatchReads(*http.Request) (int, any, error) {
	s.world.WatchReads(false)
	return http.StatusNoContent, nil, nil
}
