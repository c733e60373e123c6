package snapchat

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

type changeLog struct {
	URL string `json:"url"`
}

type changeLogResult struct {
	Status    string    `json:"sub_request_status"`
	ChangeLog changeLog `json:"change_log"`
}

// changeLogs names one file with everything since the start: Snap's pages say
// that there are files and that their addresses are signed, no more.
func (s *server) changeLogs(w http.ResponseWriter, r *http.Request, _ world.Token) {
	since := time.Time{}
	if at := r.URL.Query().Get("start_at_timestamp"); at != "" {
		var err error
		if since, err = time.Parse(time.RFC3339, at); err != nil {
			renderer{s.opts}.refuse(w, http.StatusBadRequest, "start_at_timestamp is not a date-time")
			return
		}
	}
	if _, why := s.page(r, 100); why != "" {
		renderer{s.opts}.refuse(w, http.StatusBadRequest, why)
		return
	}
	list := []changeLogResult{}
	if len(s.world.ChangesSince(world.Snapchat, since)) > 0 {
		q := url.Values{"since": {since.UTC().Format(time.RFC3339Nano)}}
		q.Set("sig", s.world.Fingerprint("change log "+q.Get("since")))
		list = append(list, changeLogResult{s.opts.word(statusSuccess), changeLog{s.baseURL(r) + "/change_logs/profiles.csv?" + q.Encode()}})
	}
	writeJSON(w, http.StatusOK, struct {
		envelope

		ChangeLogs []changeLogResult `json:"change_logs"`
	}{s.envelope(r, statusSuccess), list})
}

// changeLogFile needs no token: its address is signed. That it is CSV, and the
// columns, are unverified.
func (s *server) changeLogFile(w http.ResponseWriter, r *http.Request) {
	at := r.URL.Query().Get("since")
	since, err := time.Parse(time.RFC3339Nano, at)
	if err != nil || r.URL.Query().Get("sig") != s.world.Fingerprint("change log "+at) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "text/csv")
	out := csv.NewWriter(w)
	_ = out.Write([]string{"profile_id", "change_type", "changed_at"})
	for _, c := range s.world.ChangesSince(world.Snapchat, since) {
		_ = out.Write([]string{c.ID, string(c.Kind), c.At.UTC().Format(time.RFC3339)})
	}
	out.Flush()
}
