package x

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// me is the token's own user.
func (s *server) me(w http.ResponseWriter, r *http.Request, c caller) {
	a, bad := s.parseList(r, listRules{enums: s.names.enums})
	if bad != nil {
		s.invalidRequest(w, bad)
		return
	}
	lie := gate.Lie(r.Context())
	account, ok := s.world.Account(world.X, c.userID())
	switch {
	case lie == world.FaultAllSuspended:
		accountSuspended(w)
		return
	case !ok || lie == world.FaultAllNotFound:
		s.errors.unauthorized(w)
		return
	case !s.bill(w, c, "user", s.opts.UserPriceMicroUSD, []string{account.ID}):
		return
	}
	account = twist([]world.Account{account}, lie)[0]
	writeJSON(w, http.StatusOK, typeJSON, answer{Data: renderer{s.baseURL(r), a.fields, s.names.newNames}.user(&account)})
}

// goods are users and what one of them costs.
type goods struct {
	users    []world.Account
	resource string
	price    int64
}

// pageUsers bills and shows a page of users.
func (s *server) pageUsers(w http.ResponseWriter, r *http.Request, c caller, a *listAsk, g goods) {
	from := min(a.offset, len(g.users))
	page := g.users[from:min(from+a.limit, len(g.users))]
	if !s.bill(w, c, g.resource, g.price, ids(page)) {
		return
	}
	body := listAnswer{Meta: &listMeta{ResultCount: len(page)}}
	if from+len(page) < len(g.users) {
		body.Meta.NextToken = offsetToken(from + len(page))
	}
	if len(page) > 0 {
		render := renderer{s.baseURL(r), a.fields, s.names.newNames}
		var data []*user
		for _, account := range twist(slices.Clone(page), gate.Lie(r.Context())) {
			data = append(data, render.user(&account))
		}
		body.Data = data
	}
	writeJSON(w, http.StatusOK, typeJSON, body)
}

// following serves whom a user follows, last follow first.
func (s *server) following(w http.ResponseWriter, r *http.Request, c caller) {
	a, bad := s.parseList(r, listRules{enums: s.names.enums, min: 1, max: 1000, otherwise: 100, pageParam: "pagination_token"})
	if bad != nil {
		s.invalidRequest(w, bad)
		return
	}
	account, failure := s.author(r, c)
	if failure != nil {
		writeJSON(w, http.StatusOK, typeJSON, listAnswer{Errors: []problem{*failure}})
		return
	}
	var users []world.Account
	for _, follow := range s.world.Posts(world.X, account.ID, world.PostQuery{Actions: []world.Action{world.Follow}}) {
		if to, ok := s.world.Account(world.X, follow.Target); ok && to.State == world.Active {
			users = append(users, to)
		}
	}
	s.pageUsers(w, r, c, &a, goods{users, "follow", priceFollow})
}

// userQuery is the schema UserSearchQuery: names in other scripts do not fit.
var userQuery = regexp.MustCompile(`^[A-Za-z0-9_' ]{1,50}$`)

// searchUsers finds users whose handle or name contains the query, those with
// more followers first.
func (s *server) searchUsers(w http.ResponseWriter, r *http.Request, c caller) {
	a, bad := s.parseList(r, listRules{
		enums: s.names.enums, min: 1, max: 1000, otherwise: 100, pageParam: "next_token", requiredQuery: userQuery, extra: []string{"query"},
	})
	if bad != nil {
		s.invalidRequest(w, bad)
		return
	}
	query := strings.ToLower(strings.TrimSpace(a.query))
	var found []world.Account
	if lie := gate.Lie(r.Context()); lie != world.FaultAllNotFound && lie != world.FaultAllSuspended {
		s.world.Accounts(world.X, func(u *world.Account) bool {
			if u.State == world.Active && strings.Contains(strings.ToLower(u.Handle+"\n"+u.DisplayName), query) {
				found = append(found, *u)
			}
			return true
		})
	}
	slices.SortFunc(found, func(a, b world.Account) int {
		return cmp.Or(cmp.Compare(b.Followers, a.Followers), compareIDs(a.ID, b.ID))
	})
	s.pageUsers(w, r, c, &a, goods{found, "user", s.opts.UserPriceMicroUSD})
}

type usage struct {
	CapResetDay  int         `json:"cap_reset_day"`
	ProjectCap   int         `json:"project_cap"`
	ProjectID    string      `json:"project_id"`
	ProjectUsage int         `json:"project_usage"`
	Daily        *dailyUsage `json:"daily_project_usage,omitempty"`
}

type dailyUsage struct {
	ProjectID int        `json:"project_id"`
	Usage     []dayUsage `json:"usage"`
}

type dayUsage struct {
	Date  string `json:"date"`
	Usage int    `json:"usage"`
}

var usageFields = map[string][]string{"usage.fields": {
	"cap_reset_day", "daily_client_app_usage", "daily_project_usage", "project_cap", "project_id", "project_usage",
}}

// monthlyPosts is the most posts that a project reads in a month (docs.x.com, pricing).
const monthlyPosts = 3_000_000

// usage counts the posts that the app read, by UTC day.
func (s *server) usage(w http.ResponseWriter, r *http.Request, c caller) {
	a, bad := s.parseList(r, listRules{enums: usageFields, extra: []string{"days"}})
	if bad != nil {
		s.invalidRequest(w, bad)
		return
	}
	now := s.world.Now().UTC()
	first := now.AddDate(0, 0, 1-a.days).Format(time.DateOnly)
	nextMonth := time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	out := usage{ProjectCap: monthlyPosts, ProjectID: "1", CapResetDay: int(nextMonth.Sub(now).Hours() / 24), Daily: &dailyUsage{ProjectID: 1}}
	for _, b := range s.world.Ledger().Bills {
		if b.Platform == world.X && b.APIKey == c.app && b.Resource == "post" && b.Day >= first {
			out.ProjectUsage += b.Billed
			out.Daily.Usage = append(out.Daily.Usage, dayUsage{b.Day + "T00:00:00.000Z", b.Billed})
		}
	}
	if out.Daily.Usage == nil {
		out.Daily = nil
	}
	writeJSON(w, http.StatusOK, typeJSON, answer{Data: out})
}
