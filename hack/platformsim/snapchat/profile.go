package snapchat

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// publicProfile is Snap's object; the last three members are for authorised reads only.
type publicProfile struct {
	ID             string `json:"id"`
	OrganizationID string `json:"organization_id,omitempty"`
	DisplayName    string `json:"display_name"`
	Description    string `json:"description,omitempty"`
	UserName       string `json:"snap_user_name"`
	Website        string `json:"website,omitempty"`
	Category       string `json:"category"`
	Logos          *logos `json:"logo_urls,omitempty"`
	Country        string `json:"country,omitempty"`
	Type           string `json:"profile_type"`
	Tier           string `json:"profile_tier"`
	Internal       string `json:"internal_profile_category"`
	Color          string `json:"profile_icon_primary_color_hex,omitempty"`
	Subscribers    any    `json:"subscriber_count"`
	SpotlightViews any    `json:"spotlight_views"`
	Email          string `json:"email,omitempty"`
	Phone          string `json:"phone_number,omitempty"`
	SharesData     *bool  `json:"share_authorized_data_with_api_partners,omitempty"`
}

type logos struct {
	Original     string `json:"original_logo_url"`
	DiscoverFeed string `json:"discover_feed_logo_url"`
	MegaProfile  string `json:"mega_profile_logo_url"`
	Manage       string `json:"manage_profile_logo_url"`
}

type profileResult struct {
	Status  string         `json:"sub_request_status"`
	Reason  string         `json:"sub_request_error_reason,omitempty"`
	Profile *publicProfile `json:"public_profile,omitempty"`
}

type profileList struct {
	envelope

	Paging   *paging         `json:"paging,omitempty"`
	Profiles []profileResult `json:"public_profiles"`
}

// show is a profile as a request sees it; only authorised ones see everything.
func (s *server) show(base string, a *world.Account, authorized bool) *publicProfile {
	p := &publicProfile{
		ID: a.ID, OrganizationID: a.Owner, DisplayName: a.DisplayName, Description: a.Bio, UserName: a.Handle, Website: a.Website,
		Category: "CATEGORY_V3_BUSINESS_GROUP", Logos: logosOf(base, a.Image), Type: "PUBLIC_PROFILE", Tier: tier(a), Internal: internal(a),
		Subscribers: s.count(a.Followers), SpotlightViews: s.count(a.Listed),
	}
	if authorized {
		no := false
		p.SharesData = &no
	}
	return p
}

func (s *server) count(n int64) any {
	if s.opts.NumericCounts {
		return n
	}
	return strconv.FormatInt(n, 10)
}

// tier tells who is verified; businesses are public, others standard.
func tier(a *world.Account) string {
	switch {
	case a.Verified:
		return "TIER_PUBLIC_OFFICIAL"
	case a.VerifiedType == "business":
		return "TIER_PUBLIC"
	}
	return "TIER_STANDARD"
}

// internal: whom the world calls blue is a person here.
func internal(a *world.Account) string {
	if a.VerifiedType == "blue" {
		return "PERSON"
	}
	return "BUSINESS"
}

func logosOf(base, name string) *logos {
	version, err := world.ImageVersion(name)
	if name == "" || err != nil {
		return nil
	}
	at := base + EndpointImages + "/" + version + "/" + url.PathEscape(name) + "/"
	return &logos{at + "1280", at + "72", at + "90", at + "640"}
}

func (s *server) baseURL(r *http.Request) string {
	if s.opts.BaseURL != "" {
		return strings.TrimSuffix(s.opts.BaseURL, "/")
	}
	return "http://" + r.Host
}

// sees says whether a token's person has access to a profile.
func (s *server) sees(t world.Token, a *world.Account) bool {
	if t.Account != "" && t.Account != a.ID {
		return false
	}
	if t.Person == a.ID {
		return true
	}
	if role, ok := s.world.RoleOf(world.Snapchat, a.ID, t.Person); ok && !role.Pending {
		return true
	}
	person, ok := s.world.Person(world.Snapchat, t.Person)
	return ok && a.Owner != "" && person.Organisation == a.Owner && isAdmin(person)
}

func isAdmin(p world.Person) bool {
	return !p.Pending && (p.OrganisationRole == "admin" || p.OrganisationRole == "business_admin")
}

// organizationProfiles is the list that a sweep reads: all profiles of an
// organisation that the token may see, by id.
func (s *server) organizationProfiles(w http.ResponseWriter, r *http.Request, t world.Token) {
	ask, why := s.page(r, 10)
	person, _ := s.world.Person(world.Snapchat, t.Person)
	switch {
	case why != "":
		renderer{s.opts}.refuse(w, http.StatusBadRequest, why)
		return
	case person.Organisation != r.PathValue("id") || person.Pending:
		renderer{s.opts}.refuse(w, http.StatusForbidden, permissionDenied)
		return
	}
	out, next := s.collect(r, t, ask)
	if next != "" {
		out.Paging = s.paging(r, next, ask.limit)
	}
	writeJSON(w, http.StatusOK, out)
}

// collect fills a page; next is the cursor of the page after it.
func (s *server) collect(r *http.Request, t world.Token, ask pageAsk) (out profileList, next string) {
	out = profileList{envelope: s.envelope(r, statusSuccess), Profiles: make([]profileResult, 0, ask.limit)}
	base, told, last := s.baseURL(r), gate.Told(r.Context()), ""
	for a := range s.world.OwnedAfter(world.Snapchat, r.PathValue("id"), ask.after) {
		if !s.sees(t, &a) || a.State != world.Active && !s.opts.ListMissing {
			continue
		}
		if len(out.Profiles) == ask.limit {
			return out, cursor(last)
		}
		last = a.ID
		result := s.result(base, &a, told)
		if result.Profile == nil {
			out.RequestStatus = s.opts.word(statusPartial)
		}
		out.Profiles = append(out.Profiles, result)
	}
	if told.Kind == world.FaultExtraForeign && len(out.Profiles) > 0 && out.Profiles[0].Profile != nil {
		extra := *out.Profiles[0].Profile
		extra.ID = strangerID(extra.ID)
		out.Profiles = append(out.Profiles, profileResult{Status: s.opts.word(statusSuccess), Profile: &extra})
	}
	return out, ""
}

// result is one profile of an answer, or its failure.
func (s *server) result(base string, a *world.Account, told world.Fault) profileResult {
	lie := told.Kind
	if told.Kind == world.FaultItemErrors && s.items.Add(1)%int64(max(told.Items, 1)) == 0 {
		return profileResult{Status: s.opts.word(statusError), Reason: "Internal error"}
	}
	if a.State != world.Active || lie == world.FaultAllNotFound || lie == world.FaultAllSuspended {
		return profileResult{Status: s.opts.word(statusError), Reason: "The public profile " + a.ID + " could not be found"}
	}
	p := s.show(base, a, true)
	if lie == world.FaultShuffleForeign {
		p.ID = strangerID(p.ID)
	}
	return profileResult{Status: s.opts.word(statusSuccess), Profile: p}
}

// strangerID is the id of somebody nobody asked for.
func strangerID(id string) string {
	h := gate.Mix("stranger " + id)
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", h>>32, h>>16&0xffff, h>>4&0xfff, h>>20&0xfff, h&0xffffffffffff)
}

// authorizedProfile is one profile that the token has access to.
func (s *server) authorizedProfile(w http.ResponseWriter, r *http.Request, t world.Token) {
	a, ok := s.world.Account(world.Snapchat, r.PathValue("id"))
	if ok && !s.sees(t, &a) {
		renderer{s.opts}.refuse(w, http.StatusForbidden, permissionDenied)
		return
	}
	s.single(w, r, &a, ok, true)
}

// publicProfile is one profile, whoever's.
func (s *server) publicProfile(w http.ResponseWriter, r *http.Request, _ world.Token) {
	a, ok := s.world.Account(world.Snapchat, r.PathValue("id"))
	s.single(w, r, &a, ok, false)
}

// single answers for one profile. Suspended and missing look alike.
func (s *server) single(w http.ResponseWriter, r *http.Request, a *world.Account, ok, authorized bool) {
	if !ok {
		a = &world.Account{ID: r.PathValue("id"), State: world.Deleted}
	}
	result := s.result(s.baseURL(r), a, gate.Told(r.Context()))
	switch {
	case result.Profile == nil && s.opts.Missing200:
		writeJSON(w, http.StatusOK, profileList{envelope: s.envelope(r, statusError), Profiles: []profileResult{result}})
		return
	case result.Profile == nil:
		renderer{s.opts}.refuse(w, http.StatusNotFound, "The public profile could not be found")
		return
	case !authorized:
		id := result.Profile.ID
		result.Profile = s.show(s.baseURL(r), a, false)
		result.Profile.ID = id
	}
	writeJSON(w, http.StatusOK, profileList{envelope: s.envelope(r, statusSuccess), Profiles: []profileResult{result}})
}

type myProfile struct {
	envelope

	Profile *publicProfile `json:"public_profile"`
}

// myProfile is that of the token's user: the profile that the token is for, the
// user's own, or the only one they have a role on.
func (s *server) myProfile(w http.ResponseWriter, r *http.Request, t world.Token) {
	id := t.Account
	if id == "" {
		id = t.Person
		if roles := s.world.RolesOf(world.Snapchat, t.Person); len(roles) == 1 {
			id = roles[0].Account
		}
	}
	a, ok := s.world.Account(world.Snapchat, id)
	if !ok || !s.sees(t, &a) {
		renderer{s.opts}.refuse(w, http.StatusNotFound, "The user has no public profile")
		return
	}
	result := s.result(s.baseURL(r), &a, gate.Told(r.Context()))
	if result.Profile == nil {
		renderer{s.opts}.refuse(w, http.StatusNotFound, "The public profile could not be found")
		return
	}
	writeJSON(w, http.StatusOK, myProfile{s.envelope(r, statusSuccess), result.Profile})
}
