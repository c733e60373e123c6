package snapchat

import (
	"net/http"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

type spotlight struct {
	ID        string   `json:"id"`
	ProfileID string   `json:"profile_id"`
	Thumbnail string   `json:"thumbnail_url,omitempty"`
	Media     string   `json:"media_url,omitempty"`
	CreatedAt string   `json:"created_at"`
	Status    string   `json:"status"`
	Title     string   `json:"title,omitempty"`
	Caption   string   `json:"caption,omitempty"`
	Link      string   `json:"link,omitempty"`
	Hashtags  []string `json:"hashtags,omitempty"`
}

type spotlightResult struct {
	Status    string     `json:"sub_request_status"`
	Spotlight *spotlight `json:"spotlight,omitempty"`
}

type spotlightList struct {
	envelope

	Paging     *paging           `json:"paging,omitempty"`
	Spotlights []spotlightResult `json:"spotlights"`
}

// profileFor finds the profile of an authorised request, or refuses it.
func (s *server) profileFor(w http.ResponseWriter, r *http.Request, t world.Token) (world.Account, bool) {
	a, ok := s.world.Account(world.Snapchat, r.PathValue("id"))
	lie := gate.Lie(r.Context())
	switch {
	case !ok, a.State != world.Active, lie == world.FaultAllNotFound, lie == world.FaultAllSuspended:
		renderer{s.opts}.refuse(w, http.StatusNotFound, "The public profile could not be found")
		return a, false
	case !s.sees(t, &a):
		renderer{s.opts}.refuse(w, http.StatusForbidden, permissionDenied)
		return a, false
	}
	return a, true
}

// isSpotlight: stories are elsewhere, and reading them is unverified.
func isSpotlight(p *world.Post) bool {
	return p.Action == world.Publish && p.Kind != "story" && !p.Hidden && p.Deleted.IsZero()
}

// spotlights lists those of a profile, newest first. The cursor is the id of the
// last one shown.
func (s *server) spotlights(w http.ResponseWriter, r *http.Request, t world.Token) {
	a, ok := s.profileFor(w, r, t)
	if !ok {
		return
	}
	ask, why := s.page(r, 10)
	if why != "" {
		renderer{s.opts}.refuse(w, http.StatusBadRequest, why)
		return
	}
	out := spotlightList{envelope: s.envelope(r, statusSuccess), Spotlights: []spotlightResult{}}
	begun, last := ask.after == "", ""
	for _, p := range s.world.Posts(world.Snapchat, a.ID, world.PostQuery{Actions: []world.Action{world.Publish}}) {
		switch {
		case !isSpotlight(&p):
		case !begun:
			begun = p.ID == ask.after
		case len(out.Spotlights) == ask.limit:
			out.Paging = s.paging(r, cursor(last), ask.limit)
			writeJSON(w, http.StatusOK, out)
			return
		default:
			last = p.ID
			out.Spotlights = append(out.Spotlights, s.spotlightOf(r, &p))
		}
	}
	writeJSON(w, http.StatusOK, out)
}

func (s *server) spotlight(w http.ResponseWriter, r *http.Request, t world.Token) {
	a, ok := s.profileFor(w, r, t)
	if !ok {
		return
	}
	p, found := s.world.Post(world.Snapchat, r.PathValue("spotlight"))
	if !found || p.Account != a.ID || !isSpotlight(&p) {
		renderer{s.opts}.refuse(w, http.StatusNotFound, "The spotlight could not be found")
		return
	}
	writeJSON(w, http.StatusOK, spotlightList{envelope: s.envelope(r, statusSuccess), Spotlights: []spotlightResult{s.spotlightOf(r, &p)}})
}

func (s *server) spotlightOf(r *http.Request, p *world.Post) spotlightResult {
	out := &spotlight{
		ID: p.ID, ProfileID: p.Account, CreatedAt: p.Created.UTC().Format(time.RFC3339Nano), Status: "LIVE", Caption: p.Text,
	}
	if l := logosOf(s.baseURL(r), p.Image); l != nil {
		out.Thumbnail, out.Media = l.Manage, l.Original
	}
	if len(p.Links) > 0 {
		out.Link = p.Links[0]
	}
	if gate.Lie(r.Context()) == world.FaultShuffleForeign {
		out.ID, out.ProfileID = strangerID(p.ID), strangerID(p.Account)
	}
	return spotlightResult{s.opts.word(statusSuccess), out}
}
