package x

import (
	"net/http"
	"regexp"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// OpenAPI, schemas UserId and UserName.
var (
	idPattern       = regexp.MustCompile(`^[0-9]{1,19}$`)
	usernamePattern = regexp.MustCompile(`^[A-Za-z0-9_]{1,15}$`)
)

// lookup is one of the four ways to read users.
type lookup struct {
	server   *server
	endpoint string
	// param is the query parameter, or for a single lookup the path's.
	param   string
	pattern *regexp.Regexp
	single  bool
	find    func(p world.Platform, value string) (world.Account, bool)
}

func (s *server) lookups() []*lookup {
	return []*lookup{
		{s, EndpointUsers, "ids", idPattern, false, s.world.Account},
		{s, EndpointUsersBy, "usernames", usernamePattern, false, s.world.AccountByHandle},
		{s, EndpointUser, "id", idPattern, true, s.world.Account},
		{s, EndpointByUsername, "username", usernamePattern, true, s.world.AccountByHandle},
	}
}

// found is what a request's values came to.
type found struct {
	accounts []world.Account
	failures []problem
}

// answer is X's envelope. Data is a list, or one user, or absent.
type answer struct {
	Data   any       `json:"data,omitempty"`
	Errors []problem `json:"errors,omitempty"`
}

func (l *lookup) serve(w http.ResponseWriter, r *http.Request, c caller) {
	s := l.server
	asked, bad := s.parse(l, r)
	if bad != nil {
		s.invalidRequest(w, bad)
		return
	}
	lie := gate.Lie(r.Context())
	result := l.resolve(gate.Scatter(asked.values), lie)
	if !s.bill(w, c, "user", s.opts.UserPriceMicroUSD, ids(result.accounts)) {
		return
	}
	result.accounts = twist(result.accounts, lie)
	l.write(w, result, renderer{s.baseURL(r), asked.fields, s.names.newNames})
}

// bill charges the app, once per resource and UTC day, or refuses the request.
func (s *server) bill(w http.ResponseWriter, c caller, resource string, price int64, ids []string) bool {
	_, err := s.world.Bill(world.Charge{Platform: world.X, APIKey: c.app, Resource: resource, IDs: ids, PriceMicroUSD: price})
	if err != nil {
		s.errors.creditsDepleted(w)
	}
	return err == nil
}

// resolve looks the values up. Deactivated and deleted look alike, and nobody
// sees a suspended profile (seen in public code quoting live answers).
func (l *lookup) resolve(values []string, lie world.FaultKind) found {
	var out found
	for _, v := range values {
		account, ok := l.find(world.X, v)
		switch {
		case lie == world.FaultAllNotFound:
			out.failures = append(out.failures, l.server.errors.missing(l, v))
		case lie == world.FaultAllSuspended || ok && account.State == world.Suspended:
			out.failures = append(out.failures, l.server.errors.suspended(l, v))
		case !ok || account.State != world.Active:
			out.failures = append(out.failures, l.server.errors.missing(l, v))
		default:
			out.accounts = append(out.accounts, account)
		}
	}
	return out
}

// write answers 200 even if every value failed, then without data.
func (l *lookup) write(w http.ResponseWriter, result found, render renderer) {
	if l.single && len(result.accounts) == 0 && l.server.opts.SingleNotFound404 {
		p := result.failures[0]
		p.Status = http.StatusNotFound
		l.server.errors.write(w, http.StatusNotFound, p)
		return
	}
	body := answer{Errors: result.failures}
	switch {
	case len(result.accounts) == 0:
	case l.single:
		body.Data = render.user(&result.accounts[0])
	default:
		users := make([]*user, len(result.accounts))
		for i := range result.accounts {
			users[i] = render.user(&result.accounts[i])
		}
		body.Data = users
	}
	writeJSON(w, http.StatusOK, typeJSON, body)
}

func ids(accounts []world.Account) []string {
	out := make([]string, len(accounts))
	for i := range accounts {
		out[i] = accounts[i].ID
	}
	return out
}
