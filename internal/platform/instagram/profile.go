package instagram

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/graph"
)

var (
	errLookup = errors.New("no such lookup")
	errNoEye  = errors.New("the app Secret lacks " + graph.KeyIGUserID + ", through which others are looked up")
)

// user is the node IGUser.
type user struct {
	ID        string `json:"id"`
	Username  string `json:"username"`
	Name      string `json:"name"`
	Biography string `json:"biography"`
	Website   string `json:"website"`
	Picture   string `json:"profile_picture_url"`
	HasPic    *bool  `json:"has_profile_pic"`
	Followers *int64 `json:"followers_count"`
	Media     *int64 `json:"media_count"`
}

// Observe looks accounts up with one batch post, and one more for places that came
// back empty. Where a field is refused that only some of the sources know, it asks
// again without, at most three times in the life of a client and lookup. Accounts of
// others, which no id leads to, are looked up once more by their handle.
func (a *accounts) Observe(ctx context.Context, by platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
	if len(selections[by]) == 0 {
		return nil, &platform.Error{Kind: platform.KindInvalid, Op: "ig_users", Err: errLookup}
	}
	if by == platform.ByHandle && a.Keys.IGUserID == "" && len(refs) <= graph.BatchSize {
		return blind(refs), nil
	}
	got, err := a.sweep(ctx, by, refs)
	if err != nil || by == platform.ByHandle || a.Keys.IGUserID == "" {
		return got, err
	}
	a.discover(ctx, got)
	return got, nil
}

// discover looks for accounts of others, whose id no credential of ours reads, by the
// handle that is declared for them. Only a profile of the very id counts: that the
// handle leads nowhere, or to somebody else, says nothing of the id.
func (a *accounts) discover(ctx context.Context, got []platform.Observation) {
	var places []int
	var refs []platform.AccountRef
	for i, o := range got {
		if e, ok := errors.AsType[*platform.Error](o.Err); ok && graph.IsInvisible(e) && o.Ref.Handle != "" {
			places, refs = append(places, i), append(refs, platform.AccountRef{Handle: o.Ref.Handle})
		}
	}
	if len(refs) == 0 {
		return
	}
	found, err := a.sweep(ctx, platform.ByHandle, refs)
	for i, place := range places {
		switch {
		case err != nil:
			got[place].Err = err
		case found[i].Outcome == platform.Found && found[i].Profile.ID == got[place].Ref.ID:
			got[place] = platform.Observation{Ref: got[place].Ref, Outcome: platform.Found, Profile: found[i].Profile}
		}
	}
}

// sweep asks with the fields that are known to be readable.
func (a *accounts) sweep(ctx context.Context, by platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
	for {
		level := a.fields.level(by)
		got, err := a.Client.Observe(ctx, a.lookup(by, selections[by][level]), refs)
		if err != nil || !refused(got) || !a.fields.drop(by, level) {
			return got, err
		}
	}
}

// blind answers lookups by handle without an account of our own.
func blind(refs []platform.AccountRef) []platform.Observation {
	out := make([]platform.Observation, len(refs))
	for i, ref := range refs {
		out[i] = platform.Observation{
			Ref: ref, Outcome: platform.Unanswered, Err: &platform.Error{Kind: platform.KindInvalid, Op: "business_discovery", Err: errNoEye},
		}
	}
	return out
}

// refused reports whether a field was refused: then it was for every account that
// there is, and those that are missing say nothing of it.
func refused(got []platform.Observation) bool {
	told := false
	for _, o := range got {
		if o.Outcome == platform.Found {
			return false
		}
		e, ok := errors.AsType[*platform.Error](o.Err)
		told = told || ok && graph.IsParameter(e)
	}
	return told
}

// lookup is one way of looking up, with a selection of fields.
func (a *accounts) lookup(by platform.Lookup, sel selection) graph.Lookup {
	if by == platform.ByID {
		return graph.Lookup{
			Op:   "ig_users.id",
			Key:  func(r platform.AccountRef) string { return valid(r.ID, graph.IsID) },
			Item: func(key string) graph.Item { return graph.Item{Path: key, Query: graph.Fields(sel.list, 0, 0, 0)} },
			Read: func(key string, body []byte) (*platform.Profile, error) {
				return read(body, sel.unread, func(u *user) bool { return u.ID == key })
			},
		}
	}
	return graph.Lookup{
		Op: "business_discovery", Discovers: true,
		Key: func(r platform.AccountRef) string { return graph.Lower(valid(r.Handle, isHandle)) },
		Item: func(key string) graph.Item {
			return graph.Item{Path: a.Keys.IGUserID, Query: graph.Fields("business_discovery.username("+key+"){"+sel.list+"}", 0, 0, 0)}
		},
		Read: func(key string, body []byte) (*platform.Profile, error) {
			var found struct {
				ID        string          `json:"id"`
				Discovery json.RawMessage `json:"business_discovery"`
			}
			if json.Unmarshal(body, &found) != nil {
				return nil, graph.ErrMalformed
			}
			if found.ID != "" && found.ID != a.Keys.IGUserID {
				return nil, graph.ErrForeign
			}
			return read(found.Discovery, sel.unread, func(u *user) bool { return graph.Lower(u.Username) == key })
		},
	}
}

func valid(s string, ok func(string) bool) string {
	if ok(s) {
		return s
	}
	return ""
}

// isHandle: letters, digits, low lines and full stops, at most 30, which cannot end
// the argument of business_discovery.username().
func isHandle(s string) bool {
	if s == "" || len(s) > 30 {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '.'
	}) < 0
}

func read(body []byte, unread platform.FieldSet, asked func(*user) bool) (*platform.Profile, error) {
	var u user
	if json.Unmarshal(body, &u) != nil {
		return nil, graph.ErrMalformed
	}
	if !asked(&u) {
		return nil, graph.ErrForeign
	}
	if !graph.IsID(u.ID) || u.Username == "" {
		return nil, graph.ErrMalformed
	}
	p := u.profile()
	p.Unread |= unread
	return p, nil
}

// profile makes the text safe. Unread holds what is always told and was not, and
// what cannot be used.
func (u *user) profile() *platform.Profile {
	p := &platform.Profile{
		ID:          u.ID,
		Handle:      platform.Visible(u.Username, platform.MaxHandle),
		DisplayName: platform.Visible(u.Name, platform.MaxDisplayName),
		Bio:         platform.Visible(u.Biography, platform.MaxBio),
	}
	unless := func(told bool, f platform.Field) {
		if !told {
			p.Unread |= platform.Fields(f)
		}
	}
	var told bool
	p.Website, told = graph.Link(u.Website)
	unless(told, platform.FieldWebsite)
	p.AvatarURL, told = u.avatar()
	unless(told, platform.FieldAvatar)
	p.Followers, told = graph.Count(u.Followers)
	unless(told, platform.FieldFollowers)
	p.Posts, told = graph.Count(u.Media)
	unless(told, platform.FieldPosts)
	return p
}

// avatar: an account without an image is told by has_profile_pic alone; a URL that
// is left out says nothing.
func (u *user) avatar() (string, bool) {
	if u.HasPic != nil && !*u.HasPic {
		return "", true
	}
	if u.Picture == "" {
		return "", false
	}
	return graph.Link(u.Picture)
}
