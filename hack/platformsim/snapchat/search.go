package snapchat

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// wanted is a search with its defaults, which hide impostors.
type wanted struct {
	query, category, tier string
	standard              bool
}

func wantedOf(r *http.Request) (wanted, string) {
	q := r.URL.Query()
	f := wanted{
		query: strings.ToLower(q.Get("query")), category: cmp.Or(q.Get("category"), "CATEGORY_BUSINESS"),
		tier: cmp.Or(q.Get("tier"), "TIER_PUBLIC_OFFICIAL"), standard: q.Get("includeStandard") == "true",
	}
	switch {
	case f.query == "":
		return f, "query is required"
	case f.category != "CATEGORY_BUSINESS" && f.category != "CATEGORY_PERSON":
		return f, "category is invalid"
	case f.tier != "TIER_PUBLIC" && f.tier != "TIER_PUBLIC_OFFICIAL":
		return f, "tier is invalid"
	case q.Has("includeStandard") && q.Get("includeStandard") != "true" && q.Get("includeStandard") != "false":
		return f, "includeStandard is invalid"
	}
	return f, ""
}

func (f wanted) takes(a *world.Account) bool {
	shown := strings.ToLower(a.Handle + "\n" + a.DisplayName)
	if a.State != world.Active || !strings.Contains(shown, f.query) || f.category != "CATEGORY_"+internal(a) {
		return false
	}
	switch tier(a) {
	case "TIER_PUBLIC_OFFICIAL":
		return true
	case "TIER_PUBLIC":
		return f.tier == "TIER_PUBLIC"
	}
	return f.standard
}

func (s *server) search(w http.ResponseWriter, r *http.Request, _ world.Token) {
	filter, why := wantedOf(r)
	ask, badPage := s.page(r, 100)
	if why = cmp.Or(why, badPage); why != "" {
		renderer{s.opts}.refuse(w, http.StatusBadRequest, why)
		return
	}
	var found []world.Account
	if lie := gate.Lie(r.Context()); lie != world.FaultAllNotFound && lie != world.FaultAllSuspended {
		s.world.Accounts(world.Snapchat, func(a *world.Account) bool {
			if filter.takes(a) {
				found = append(found, *a)
			}
			return true
		})
	}
	slices.SortFunc(found, func(a, b world.Account) int {
		return cmp.Or(cmp.Compare(b.Followers, a.Followers), cmp.Compare(a.ID, b.ID))
	})
	out := profileList{envelope: s.envelope(r, statusSuccess), Profiles: []profileResult{}}
	for _, a := range found[:min(ask.limit, len(found))] {
		out.Profiles = append(out.Profiles, profileResult{Status: s.opts.word(statusSuccess), Profile: s.show(s.baseURL(r), &a, false)})
	}
	writeJSON(w, http.StatusOK, out)
}
