package snapchat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/gate"
)

// envelope is around every answer of Snap's, a list under the name of its kind.
type envelope struct {
	RequestID      string `json:"request_id"`
	RequestStatus  string `json:"request_status"`
	DebugMessage   string `json:"debug_message,omitempty"`
	DisplayMessage string `json:"display_message,omitempty"`
	ErrorCode      string `json:"error_code,omitempty"`
}

// Statuses of requests and sub-requests.
const (
	statusSuccess = "SUCCESS"
	statusError   = "ERROR"
	statusPartial = "PARTIAL"
)

// word spells a status.
func (o Options) word(status string) string {
	if o.LowerCaseStatus {
		return strings.ToLower(status)
	}
	return status
}

// envelope makes the request's id out of its address, so that answers repeat.
func (s *server) envelope(r *http.Request, status string) envelope {
	return envelope{RequestID: fmt.Sprintf("%016x", gate.Mix(r.URL.String())), RequestStatus: s.opts.word(status)}
}

type paging struct {
	NextPageID string `json:"next_page_id,omitempty"`
	NextLink   string `json:"next_link,omitempty"`
}

// renderer is the gate's.
type renderer struct{ opts Options }

// Status implements gate.Renderer.
func (a renderer) Status(w http.ResponseWriter, status int) {
	a.refuse(w, status, http.StatusText(status))
}

// Throttle implements gate.Renderer: bare, whatever the reset.
func (renderer) Throttle(w http.ResponseWriter, _ time.Time) {
	w.WriteHeader(http.StatusTooManyRequests)
}

func (a renderer) refuse(w http.ResponseWriter, status int, why string) {
	if status == http.StatusUnauthorized {
		a.unauthorized(w, "The access token is invalid")
		return
	}
	if status == http.StatusTooManyRequests {
		a.Throttle(w, time.Time{})
		return
	}
	writeJSON(w, status, envelope{
		RequestID: "00000000", RequestStatus: a.opts.word(statusError), DebugMessage: why,
		DisplayMessage: "We're sorry, but something went wrong.", ErrorCode: fmt.Sprintf("E%d", 1000+status%100),
	})
}

func (renderer) unauthorized(w http.ResponseWriter, why string) {
	w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token", error_description="`+why+`"`)
	w.WriteHeader(http.StatusUnauthorized)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		http.Error(w, "encoding answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}
