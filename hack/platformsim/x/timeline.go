package x

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"mithaq.dev/mithaq/hack/platformsim/gate"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// lookUpPosts answers 200 even if every post is missing.
func (s *server) lookUpPosts(w http.ResponseWriter, r *http.Request, c caller, l *lookup) {
	own := []string{l.param}
	if l.single {
		own = nil
	}
	a, bad := chooseAll(r.URL.Query(), s.names.postEnums, own)
	var values []string
	if bad == nil {
		values, bad = l.parseValues(r, r.URL.Query())
	}
	if bad != nil {
		s.invalidRequest(w, bad)
		return
	}
	lie := gate.Lie(r.Context())
	found, failures := s.findPosts(l, values, c, lie)
	if !s.bill(w, c, "post", pricePost, postIDs(found)) {
		return
	}
	shown := s.showPosts(&a, found, lie)
	body := listAnswer{Errors: failures}
	switch {
	case len(shown) == 0:
	case l.single:
		body.Data = shown[0]
	default:
		body.Data = shown
	}
	writeJSON(w, http.StatusOK, typeJSON, body)
}

func (s *server) findPosts(l *lookup, ids []string, c caller, lie world.FaultKind) (found []world.Post, failures []problem) {
	for _, id := range gate.Scatter(ids) {
		p, ok := s.world.Post(world.X, id)
		author, _ := s.world.Account(world.X, p.Account)
		switch {
		case !ok, !isPost(&p), author.State != world.Active, lie == world.FaultAllNotFound, lie == world.FaultAllSuspended:
			failures = append(failures, s.postProblem(l, id, "Not Found Error", "Could not find tweet with "+l.param+": ["+id+"].", "resource-not-found"))
		case author.Protected && c.userID() != author.ID:
			failures = append(failures, s.postProblem(l, id, "Authorization Error", "Sorry, you are not authorized to see the Tweet with "+l.param+": ["+id+"].", "not-authorized-for-resource"))
		default:
			found = append(found, p)
		}
	}
	return found, failures
}

func (s *server) postProblem(l *lookup, id, title, detail, kind string) problem {
	p := s.errors.resource(l, id, title, detail)
	p.ResourceType, p.Type = "tweet", s.errors.base+kind
	return p
}

func postIDs(posts []world.Post) []string {
	out := make([]string, len(posts))
	for i := range posts {
		out[i] = posts[i].ID
	}
	return out
}

// showPosts renders posts, with another's among them where a fault says so.
func (s *server) showPosts(a *ask, posts []world.Post, lie world.FaultKind) []*post {
	out := make([]*post, len(posts))
	for i := range posts {
		p := posts[i]
		if lie == world.FaultShuffleForeign {
			p.ID, p.Account = foreignID(p.ID), foreignID(p.Account)
		}
		out[i] = s.showPost(a, &p)
	}
	if lie == world.FaultExtraForeign && len(posts) > 0 {
		p := posts[0]
		p.ID, p.Account = foreignID(p.ID), foreignID(p.Account)
		out = append(out, s.showPost(a, &p))
	}
	return out
}

func foreignID(id string) string { return stranger(world.Account{ID: id}).ID }

// timelineMost is how far back a timeline goes, in posts.
const timelineMost = 3200

// timeline serves a user's posts, replies and reposts, newest first.
func (s *server) timeline(w http.ResponseWriter, r *http.Request, c caller) {
	a, bad := s.parseList(r, listRules{
		enums: s.names.postEnums, min: 5, max: 100, otherwise: 10, pageParam: "pagination_token", pageByID: true,
		extra: []string{"since_id", "until_id", "start_time", "end_time", "exclude"},
	})
	if bad != nil {
		s.invalidRequest(w, bad)
		return
	}
	account, failure := s.author(r, c)
	if failure != nil {
		writeJSON(w, http.StatusOK, typeJSON, listAnswer{Errors: []problem{*failure}})
		return
	}
	posts := s.world.Posts(world.X, account.ID, world.PostQuery{Actions: shown})
	slices.SortFunc(posts, func(a, b world.Post) int { return compareIDs(b.ID, a.ID) })
	posts = posts[:min(len(posts), timelineMost)]
	s.pagePosts(w, r, c, &a, posts)
}

// author is whose posts a request may read, or why not.
func (s *server) author(r *http.Request, c caller) (world.Account, *problem) {
	l := &lookup{server: s, param: "id"}
	id := r.PathValue("id")
	account, ok := s.world.Account(world.X, id)
	lie := gate.Lie(r.Context())
	var p problem
	switch {
	case lie == world.FaultAllNotFound:
		p = s.errors.missing(l, id)
	case lie == world.FaultAllSuspended, ok && account.State == world.Suspended:
		p = s.errors.suspended(l, id)
	case !ok, account.State != world.Active:
		p = s.errors.missing(l, id)
	case account.Protected && c.userID() != id:
		p = s.errors.resource(l, id, "Authorization Error", "Sorry, you are not authorized to see the user with id: ["+id+"].")
		p.Type = s.errors.base + "not-authorized-for-resource"
	default:
		return account, nil
	}
	return account, &p
}

// takes says whether a page may show a post.
func (a *listAsk) takes(p *world.Post) bool {
	switch {
	case !isPost(p),
		a.since != "" && compareIDs(p.ID, a.since) <= 0,
		a.until != "" && compareIDs(p.ID, a.until) >= 0,
		a.after != "" && compareIDs(p.ID, a.after) >= 0,
		!a.start.IsZero() && p.Created.Before(a.start),
		!a.end.IsZero() && !p.Created.Before(a.end),
		p.Action == world.Reply && slices.Contains(a.exclude, "replies"),
		p.Action == world.Repost && slices.Contains(a.exclude, "retweets"):
		return false
	}
	return true
}

// pagePosts bills and shows the first posts that the page takes.
func (s *server) pagePosts(w http.ResponseWriter, r *http.Request, c caller, a *listAsk, posts []world.Post) {
	page := make([]world.Post, 0, a.limit)
	more := false
	for i := range posts {
		if !a.takes(&posts[i]) {
			continue
		}
		if more = len(page) == a.limit; more {
			break
		}
		page = append(page, posts[i])
	}
	if !s.bill(w, c, "post", pricePost, postIDs(page)) {
		return
	}
	body := listAnswer{Meta: &listMeta{ResultCount: len(page)}}
	if len(page) > 0 {
		body.Data = s.showPosts(&a.ask, page, gate.Lie(r.Context()))
		body.Meta.NewestID, body.Meta.OldestID = page[0].ID, page[len(page)-1].ID
	}
	if more {
		body.Meta.NextToken = idToken(page[len(page)-1].ID)
	}
	writeJSON(w, http.StatusOK, typeJSON, body)
}

// maxQuery bounds a search of self-serve apps (docs.x.com, search).
var recentQuery = regexp.MustCompile(`^.{1,512}$`)

// recentDays is how far back a recent search goes.
const recentDays = 7

// recent searches what accounts posted in the last week. Only queries made of
// from: with OR and of negations are simulated; reposts are not found.
func (s *server) recent(w http.ResponseWriter, r *http.Request, c caller) {
	a, bad := s.parseList(r, listRules{
		enums: s.names.postEnums, min: 10, max: 100, otherwise: 10, pageParam: "next_token", pageByID: true, requiredQuery: recentQuery,
		extra: []string{"query", "since_id", "until_id", "start_time", "end_time", "sort_order"},
	})
	var handles []string
	if bad == nil {
		handles, bad = a.readQuery()
	}
	if bad != nil {
		s.invalidRequest(w, bad)
		return
	}
	var posts []world.Post
	for _, handle := range handles {
		account, ok := s.world.AccountByHandle(world.X, handle)
		if ok && account.State == world.Active && (!account.Protected || c.userID() == account.ID) {
			posts = append(posts, s.world.Posts(world.X, account.ID, world.PostQuery{
				Actions: []world.Action{world.Publish, world.Reply}, Since: s.world.Now().Add(-recentDays * 24 * time.Hour),
			})...)
		}
	}
	slices.SortFunc(posts, func(a, b world.Post) int { return compareIDs(b.ID, a.ID) })
	if lie := gate.Lie(r.Context()); lie == world.FaultAllNotFound || lie == world.FaultAllSuspended {
		posts = nil
	}
	s.pagePosts(w, r, c, &a, posts)
}

func (a *listAsk) readQuery() (handles []string, bad *invalid) {
	for _, word := range strings.Fields(strings.NewReplacer("(", " ", ")", " ").Replace(a.query)) {
		handle, from := strings.CutPrefix(word, "from:")
		switch {
		case from && usernamePattern.MatchString(handle):
			handles = append(handles, handle)
		case word == "OR", word == "-is:retweet":
		case word == "-is:reply":
			a.exclude = append(a.exclude, "replies")
		default:
			return nil, refuse("query", "There were errors processing your request: only from: is simulated, not `"+word+"`", a.query)
		}
	}
	if len(handles) == 0 {
		return nil, refuse("query", "There were errors processing your request: a query needs from:", a.query)
	}
	return handles, nil
}

// liked serves the posts that the token's own user likes, last like first.
func (s *server) liked(w http.ResponseWriter, r *http.Request, c caller) {
	a, bad := s.parseList(r, listRules{enums: s.names.postEnums, min: 5, max: 100, otherwise: 100, pageParam: "pagination_token"})
	if bad != nil {
		s.invalidRequest(w, bad)
		return
	}
	if c.userID() != r.PathValue("id") {
		s.errors.write(w, http.StatusForbidden, problem{
			Title: "Forbidden", Status: http.StatusForbidden, Type: s.errors.base + "client-forbidden",
			Detail: "The `id` path parameter value [" + r.PathValue("id") + "] must be the same as the authenticating user's.",
		})
		return
	}
	var posts []world.Post
	for _, like := range s.world.Posts(world.X, c.userID(), world.PostQuery{Actions: []world.Action{world.Like}}) {
		if p, ok := s.world.Post(world.X, like.Target); ok && isPost(&p) {
			posts = append(posts, p)
		}
	}
	from := min(a.offset, len(posts))
	page := posts[from:min(from+a.limit, len(posts))]
	if !s.bill(w, c, "like", priceLike, postIDs(page)) {
		return
	}
	body := listAnswer{Meta: &listMeta{ResultCount: len(page)}}
	if len(page) > 0 {
		body.Data = s.showPosts(&a.ask, page, gate.Lie(r.Context()))
	}
	if from+len(page) < len(posts) {
		body.Meta.NextToken = offsetToken(from + len(page))
	}
	writeJSON(w, http.StatusOK, typeJSON, body)
}
