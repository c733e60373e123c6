package snapchat

import (
	"context"
	"errors"
	"net/url"
	"slices"

	"mithaq.dev/mithaq/internal/platform"
)

const (
	endpointAuthorized = "/v1/public_profiles/:id"
	endpointMembers    = "/v1/organizations/:id/members"
	endpointRoles      = "/v1/members/:id/roles"

	opAuthorized = "public_profiles.get"
	opMembers    = "organization.members"
	opRoles      = "member.roles"

	// maxPages bounds a list whose pages do not end.
	maxPages = 50
)

var (
	errEndless = errors.New("the list has more pages than are read")
	errOrgless = errors.New("the profile belongs to no organisation")
)

type members struct {
	envelope
	Members []struct {
		item
		Member member `json:"member"`
	} `json:"members"`
}

type member struct {
	ID           string `json:"id"`
	Email        string `json:"email"`
	Name         string `json:"display_name"`
	Organization string `json:"organization_id"`
	Status       string `json:"member_status"`
}

type roles struct {
	envelope
	Roles []struct {
		item
		Role struct {
			Type   string `json:"type"`
			Member string `json:"member_id"`
		} `json:"role"`
	} `json:"roles"`
}

// People lists the members of the organisation that the profile belongs to, and
// their roles. The list is whole or an error: who is missing would look removed. Who
// has a role on the profile alone is not exposed.
func (h *holder) People(ctx context.Context, token platform.Token, ref platform.AccountRef) ([]platform.Member, error) {
	if !isID(ref.ID) {
		return nil, invalid(opMembers, errBadRef)
	}
	organization, err := h.organization(ctx, token, ref.ID)
	if err != nil {
		return nil, err
	}
	var people []platform.Member
	page := ""
	for range maxPages {
		var body members
		if err := h.page(ctx, h.list(opMembers, endpointMembers, organization, page, token), &body, &body.Status); err != nil {
			return nil, err
		}
		if people, err = h.seat(ctx, token, organization, body, people); err != nil {
			return nil, err
		}
		if page = body.next(); page == "" {
			return people, nil
		}
	}
	return nil, unbelievable(opMembers, errEndless)
}

// seat adds a page of members.
func (h *holder) seat(
	ctx context.Context, token platform.Token, organization string, body members, people []platform.Member,
) ([]platform.Member, error) {
	for _, it := range body.Members {
		m := it.Member
		switch {
		case !is(it.Status, statusSuccess):
			return nil, unbelievable(opMembers, errItem)
		case !isID(m.ID):
			return nil, unbelievable(opMembers, errMalformed)
		case m.Organization != "" && m.Organization != organization:
			return nil, unbelievable(opMembers, errForeign)
		}
		roles, err := h.roles(ctx, token, m.ID)
		if err != nil {
			return nil, err
		}
		people = append(people, platform.Member{
			ID: m.ID, Name: platform.Visible(m.Name, platform.MaxDisplayName),
			Email: platform.Visible(m.Email, platform.MaxDisplayName),
			Kind:  platform.MemberPerson, Roles: roles, Pending: is(m.Status, "INVITED"),
		})
	}
	return people, nil
}

// roles are a member's roles, sorted, each once.
func (h *holder) roles(ctx context.Context, token platform.Token, id string) ([]string, error) {
	var names []string
	page := ""
	for range maxPages {
		var body roles
		if err := h.page(ctx, h.list(opRoles, endpointRoles, id, page, token), &body, &body.Status); err != nil {
			return nil, err
		}
		for _, it := range body.Roles {
			if !is(it.Status, statusSuccess) || it.Role.Type == "" || it.Role.Member != "" && it.Role.Member != id {
				return nil, unbelievable(opRoles, errItem)
			}
			names = append(names, platform.Visible(it.Role.Type, platform.MaxHandle))
		}
		if page = body.next(); page == "" {
			slices.Sort(names)
			return slices.Compact(names), nil
		}
	}
	return nil, unbelievable(opRoles, errEndless)
}

// list is the call for one page of a list at the Ads API.
func (h *holder) list(op, endpoint, id, page string, token platform.Token) call {
	c := call{op: op, endpoint: endpoint, path: pathOf(endpoint, id), host: h.cfg.Host(roleAds), query: url.Values{}, own: token}
	if page != "" {
		c.query.Set("cursor", page)
	}
	return c
}

// page reads c into a body whose status is *status.
func (h *holder) page(ctx context.Context, c call, into any, status *string) error {
	answer, err := h.read(ctx, c)
	if err != nil {
		return err
	}
	return decode(c.op, answer, into, status)
}

// organization is the one that the profile belongs to, as the profile itself says.
func (h *holder) organization(ctx context.Context, token platform.Token, id string) (string, error) {
	answer, err := h.read(ctx, call{
		op: opAuthorized, endpoint: endpointAuthorized, path: pathOf(endpointAuthorized, id), host: h.cfg.Endpoint, own: token,
	})
	if err != nil {
		return "", err
	}
	var body profiles
	if err := decode(opAuthorized, answer, &body, &body.Status); err != nil {
		return "", err
	}
	for _, it := range body.Profiles {
		if is(it.Status, statusSuccess) && it.Profile.valid() && it.Profile.ID == id && isID(it.Profile.Organization) {
			return it.Profile.Organization, nil
		}
	}
	return "", unbelievable(opAuthorized, errOrgless)
}
