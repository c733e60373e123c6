package meta

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/meta/field"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// answer is what a call came to. A problem takes the body's place.
type answer struct {
	body  []byte
	usage []usage
	bad   *problem
}

func failed(p *problem) answer { return answer{bad: p, usage: p.usage} }

// view is what rendering a call's nodes needs.
type view struct {
	server *server
	req    *request
	call   *call
	who    caller
	now    time.Time
}

// do performs one call.
func (s *server) do(req *request, c *call) answer {
	endpoint := endpointOf(c)
	switch endpoint {
	case EndpointToken:
		return s.tokenEndpoint(req, c)
	case EndpointExchange:
		return s.exchangeIG(req, c)
	case EndpointRefresh:
		return s.refreshIG(req, c)
	}
	who, bad := s.authenticate(c)
	if bad != nil {
		return failed(bad)
	}
	v := &view{server: s, req: req, call: c, who: who, now: s.world.Now()}
	switch endpoint {
	case EndpointDebug:
		return v.debugToken()
	case EndpointRevoke:
		return v.revoke()
	case EndpointSearch:
		return v.search()
	case EndpointIDs:
		return v.multiGet()
	case EndpointUnknown, EndpointBatch, EndpointDialog:
		return failed(refuse(2500, "Unknown path components: /%s", strings.Join(c.path, "/")))
	}
	return v.node()
}

// node serves "/{id}" and its edges.
func (v *view) node() answer {
	if v.who.kind == igCaller {
		return v.instagramLogin()
	}
	id := v.call.segment(0)
	if id == "me" {
		if v.who.kind == appCaller {
			return failed(refuse(2500, "An active access token must be used to query information about the current user."))
		}
		id = v.who.token.Person
		if v.who.kind == pageCaller {
			id = v.who.token.Account
		}
	}
	if found, ok := v.dispatch(id); ok {
		return found
	}
	return failed(v.notFound(id))
}

// dispatch finds what an id is.
func (v *view) dispatch(id string) (answer, bool) {
	w := v.server.world
	if a, ok := v.account(world.Facebook, id); ok {
		return v.page(&a), true
	}
	if a, ok := v.account(world.Instagram, id); ok {
		return v.igUser(&a), true
	}
	if a, ok := v.server.assetAccount(id); ok {
		return v.asset(&a), true
	}
	if post, ok := w.Post(world.Facebook, id); ok {
		return v.pagePost(&post), true
	}
	if post, ok := w.Post(world.Instagram, id); ok {
		return v.igMedia(&post), true
	}
	if person, ok := w.Person(world.Facebook, id); ok {
		return v.person(&person), true
	}
	if v.server.isBusiness(id) {
		return v.business(id), true
	}
	return answer{}, false
}

// account finds an account by id, or a Page by alias as well. Only Instagram
// accounts of professionals exist for the API: a Protected one is personal.
func (v *view) account(p world.Platform, id string) (world.Account, bool) {
	a, ok := v.server.world.Account(p, id)
	if !ok && p == world.Facebook && !isNumber(id) {
		a, ok = v.server.world.AccountByHandle(p, id)
	}
	return a, ok && a.State == world.Active && !(p == world.Instagram && a.Protected)
}

func (v *view) notFound(id string) *problem {
	if isNumber(id) || strings.Contains(id, "_") {
		return missing(id)
	}
	return unknownAlias(id)
}

func isNumber(id string) bool {
	_, err := strconv.ParseUint(id, 10, 64)
	return err == nil
}

// lied says whether a fault makes the platform deny every account.
func (v *view) lied() bool {
	return v.req.fault.Kind == world.FaultAllNotFound || v.req.fault.Kind == world.FaultAllSuspended
}

// fields reads the selection of a call for a set. Selections repeat in their
// thousands, so they are kept unless they name somebody.
func (v *view) fields(set *field.Set) ([]field.Field, *problem) {
	text := v.call.params.Get("fields")
	if text == "" {
		return set.Default, nil
	}
	key := selectionKey{set, text}
	if kept, ok := v.server.selections.Load(key); ok {
		fields, _ := kept.([]field.Field)
		return fields, nil
	}
	fields, err := field.Parse(text)
	if err != nil {
		return nil, syntax(err)
	}
	if name, typ, bad := set.Unknown(fields); bad {
		return nil, nonexisting(name, typ)
	}
	if set == setIGUser && v.server.opts.NoIGWebsite && slices.ContainsFunc(fields, func(f field.Field) bool { return f.Name == "website" }) {
		return nil, nonexisting("website", set.Type)
	}
	if !strings.Contains(text, "(") || strings.Contains(text, "picture.type") {
		v.server.selections.Store(key, fields)
	}
	return fields, nil
}

type selectionKey struct {
	set  *field.Set
	text string
}

func nonexisting(name, typ string) *problem {
	return badParameter("Tried accessing nonexisting field (%s) on node type (%s)", name, typ)
}

// multiGet is "/?ids=": one bad id fails the whole call.
func (v *view) multiGet() answer {
	ids := strings.Split(v.call.params.Get("ids"), ",")
	if bad := v.call.unknown("ids", "fields"); bad != nil {
		return failed(bad)
	}
	if v.call.params.Get("ids") == "" || len(ids) > maxItems {
		return failed(badParameter("The parameter ids is required and takes at most %d ids", maxItems))
	}
	var out answer
	o := field.Begin(nil)
	for _, id := range ids {
		one := *v
		one.call = &call{method: v.call.method, path: []string{id}, params: v.call.params, token: v.call.token, proof: v.call.proof}
		got := one.single(id)
		out.usage = append(out.usage, got.usage...)
		if got.bad != nil {
			return failed(got.bad)
		}
		o.Raw(id, got.body)
	}
	if v.req.fault.Kind == world.FaultExtraForeign {
		o.Raw(foreignID(ids[0]), []byte(`{"id":"`+foreignID(ids[0])+`","name":"Somebody Else"}`))
	}
	out.body = o.End()
	return out
}

// single is one id of a multi-get.
func (v *view) single(id string) answer {
	if v.server.opts.NoIGMultiGet && v.server.onInstagram(id) {
		return failed(missing(id))
	}
	_, known := v.account(world.Facebook, id)
	if !known && !v.server.onInstagram(id) {
		return failed(unknownAlias(id))
	}
	return v.node()
}

func (s *server) writeAnswer(w http.ResponseWriter, a answer, req *request) {
	w.Header().Set("facebook-api-version", req.version)
	if a.bad != nil {
		a.bad.usage = a.usage
		s.errors.write(w, a.bad)
		return
	}
	req.record.Note(func(c *world.Call) { c.Accepted = true })
	for _, u := range a.usage {
		u.announce(w.Header())
	}
	w.Header().Set("Content-Type", typeJSON)
	_, _ = w.Write(a.body)
}
