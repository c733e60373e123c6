package graph

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"mithaq.dev/mithaq/internal/platform"
)

const (
	opPeople = "people"
	opUnseat = "unseat"

	// roleBusiness precedes a role in the portfolio; who is admin there can give
	// themselves any account of it.
	roleBusiness = "business:"
	admin        = "ADMIN"
	roleAdmin    = roleBusiness + admin
	// roleDirect marks what /roles tells: access that may be outside of the portfolio.
	roleDirect = "direct"
)

var (
	errNoBusiness = errors.New("the app Secret lacks " + KeyBusinessID)
	errMember     = errors.New("the member cannot be removed by API")
)

// person is a row of any list of people.
type person struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Email    string   `json:"email"`
	Pending  string   `json:"pending_email"`
	UserType string   `json:"user_type"`
	Role     string   `json:"role"`
	Tasks    []string `json:"tasks"`
	TwoFac   string   `json:"two_fac_status"`
}

// Asset is a thing that people are assigned to: a Page, or an Instagram account as
// an asset of the portfolio.
type Asset struct {
	ID string
	// Roles: the asset also has people with direct access (a Page).
	Roles bool
	// Tasks: the list of assigned people tells tasks (a Page).
	Tasks bool
}

// People lists who has access to an asset: people and system users assigned to it,
// admins of the portfolio, partners, and those with direct access, whose ids are of
// another kind, so that one person may be there twice. A list that could not be read
// fails the whole.
func (c *Client) People(ctx context.Context, token platform.Token, a Asset) ([]platform.Member, error) {
	if c.Keys.BusinessID == "" {
		return nil, &platform.Error{Kind: platform.KindInvalid, Op: opPeople, Err: errNoBusiness}
	}
	fields := "id,name,user_type"
	if a.Tasks {
		fields += ",tasks"
	}
	assigned, err := List[person](ctx, c, Edge{
		Op: opPeople, Template: "/{asset}/assigned_users", Path: a.ID + "/assigned_users", Fields: fields, Token: token,
		Query: url.Values{"business": {c.Keys.BusinessID}},
	})
	if err != nil {
		return nil, err
	}
	employees, err := List[person](ctx, c, Edge{
		Op: opPeople, Template: "/{business}/business_users", Path: c.Keys.BusinessID + "/business_users",
		Fields: "id,name,email,role,tasks,two_fac_status,pending_email", Token: c.business(token),
	})
	if err != nil {
		return nil, err
	}
	agencies, err := List[person](ctx, c, Edge{
		Op: opPeople, Template: "/{asset}/agencies", Path: a.ID + "/agencies", Fields: "id,name", Token: token,
	})
	if err != nil {
		return nil, err
	}
	members := portfolio(assigned, employees)
	for _, p := range agencies {
		members = append(members, p.member(platform.MemberPartner, true))
	}
	if !a.Roles {
		return members, nil
	}
	direct, err := c.direct(ctx, token, a.ID)
	return append(members, direct...), err
}

// direct are the people with direct access to a Page. The Page's own token alone may
// ask for them; a system user's token has it told (facebook.md, sections 1 and 4).
func (c *Client) direct(ctx context.Context, token platform.Token, page string) ([]platform.Member, error) {
	var node struct {
		Token platform.Token `json:"access_token"`
	}
	if err := c.Get(ctx, Ask{Op: opPeople, Template: "/{page}", Path: page, Query: fieldsOf("access_token"), Token: token}, &node); err != nil {
		return nil, err
	}
	if node.Token != "" {
		token = node.Token
	}
	people, err := List[person](ctx, c, Edge{
		Op: opPeople, Template: "/{page}/roles", Path: page + "/roles", Fields: "id,name,tasks", Token: token,
	})
	var members []platform.Member
	for _, p := range people {
		m := p.member(platform.MemberPerson, false)
		m.Roles = append(m.Roles, roleDirect)
		members = append(members, m)
	}
	return members, err
}

// business is the token for the portfolio's own lists.
func (c *Client) business(token platform.Token) platform.Token {
	if c.Keys.SystemUserToken != "" {
		return c.Keys.SystemUserToken
	}
	return token
}

// portfolio joins those assigned with what the portfolio knows of them, and adds
// its admins. An admin is out only when out of the portfolio with all its accounts: that
// is for people to decide, not for the handover of one of them.
func portfolio(assigned, employees []person) []platform.Member {
	known := make(map[string]person, len(employees))
	for _, e := range employees {
		known[e.ID] = e
	}
	var members []platform.Member
	for _, p := range assigned {
		kind := platform.MemberPerson
		if strings.Contains(strings.ToLower(p.UserType), "system") {
			kind = platform.MemberSystem
		}
		e := known[p.ID]
		delete(known, p.ID)
		e.ID, e.Name, e.Tasks = p.ID, p.Name, p.Tasks
		members = append(members, e.member(kind, e.Role != admin))
	}
	for _, e := range employees {
		if _, unassigned := known[e.ID]; unassigned && e.Role == admin {
			e.Tasks = nil
			members = append(members, e.member(platform.MemberPerson, false))
		}
	}
	return members
}

func (p person) member(kind platform.MemberKind, removable bool) platform.Member {
	m := platform.Member{
		ID: p.ID, Name: platform.Visible(p.Name, platform.MaxDisplayName), Email: platform.Visible(p.Email, platform.MaxDisplayName),
		Kind: kind, Roles: slices.Clone(p.Tasks), Pending: p.Pending != "" && p.Email == "",
		Removable: removable && IsID(p.ID), TwoFactor: twoFactor(p.TwoFac),
	}
	if p.Role != "" {
		m.Roles = append(m.Roles, roleBusiness+p.Role)
	}
	return m
}

// twoFactor reads two_fac_status. Only the words that say yes or no count: the
// values are not listed in the specification.
func twoFactor(status string) *bool {
	var on bool
	switch strings.ToLower(status) {
	case "enabled", "on", "active", "true":
		on = true
	case "disabled", "off", "inactive", "false", "not_enabled":
	default:
		return nil
	}
	return &on
}

// Unseat removes a member from an asset; an admin of the portfolio is removed from
// the portfolio, because from within it they could come back.
func (c *Client) Unseat(ctx context.Context, token platform.Token, a Asset, m platform.Member) error {
	if !m.Removable || !IsID(m.ID) || slices.Contains(m.Roles, roleDirect) {
		return &platform.Error{Kind: platform.KindInvalid, Op: opUnseat, Err: errMember}
	}
	path, template, query := a.ID+"/assigned_users", "/{asset}/assigned_users", url.Values{"user": {m.ID}}
	switch {
	case m.Kind == platform.MemberPartner:
		path, template, query = a.ID+"/agencies", "/{asset}/agencies", url.Values{"business": {m.ID}}
	case slices.Contains(m.Roles, roleAdmin):
		path, template, query, token = m.ID, "/{business-user}", nil, c.business(token)
	}
	req, err := c.request(ctx, http.MethodDelete, path, query, token)
	if err != nil {
		return err
	}
	answer, err := c.once(opUnseat, template, req)
	if err == nil {
		return succeeded(opUnseat, answer)
	}
	if kind := platform.KindOf(err); kind != platform.KindNotFound && kind != platform.KindInvalid {
		return err
	}
	return c.absent(ctx, token, a, m, err)
}

// absent turns a refusal into a success if the lists say that the member is not
// there (any more).
func (c *Client) absent(ctx context.Context, token platform.Token, a Asset, m platform.Member, refused error) error {
	a.Roles = false
	members, err := c.People(ctx, token, a)
	if err != nil || slices.ContainsFunc(members, func(o platform.Member) bool { return o.ID == m.ID }) {
		return refused
	}
	return nil
}
