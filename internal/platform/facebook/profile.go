package facebook

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/graph"
)

// fields are what a Profile is made of; all of them are in Page.json but picture,
// which is an edge.
const fields = "id,name,username,about,bio,description,website,picture.type(large){url,is_silhouette}," +
	"cover{id,source},verification_status,is_verified,is_published,followers_count"

const letters = "abcdefghijklmnopqrstuvwxyz"

var errLookup = errors.New("no such lookup")

// page is the node Page.
type page struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Username    string `json:"username"`
	About       string `json:"about"`
	Bio         string `json:"bio"`
	Description string `json:"description"`
	Website     string `json:"website"`
	Picture     *struct {
		Data struct {
			URL        string `json:"url"`
			Silhouette bool   `json:"is_silhouette"`
		} `json:"data"`
	} `json:"picture"`
	Cover *struct {
		Source string `json:"source"`
	} `json:"cover"`
	Verification string `json:"verification_status"`
	Verified     *bool  `json:"is_verified"`
	Published    *bool  `json:"is_published"`
	Followers    *int64 `json:"followers_count"`
}

// Observe looks Pages up with one batch post, and one more for places that came
// back empty.
func (p *pages) Observe(ctx context.Context, by platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
	l := graph.Lookup{
		Op:   "pages." + string(by),
		Item: func(key string) graph.Item { return graph.Item{Path: key, Query: graph.Fields(fields, 0, 0, 0)} },
	}
	switch by {
	case platform.ByID:
		l.Key = func(r platform.AccountRef) string { return valid(r.ID, graph.IsID) }
		l.Read = func(key string, body []byte) (*platform.Profile, error) {
			return read(body, func(pg *page) bool { return pg.ID == key })
		}
	case platform.ByHandle:
		l.Key = func(r platform.AccountRef) string { return graph.Lower(valid(r.Handle, isHandle)) }
		l.Read = func(key string, body []byte) (*platform.Profile, error) {
			return read(body, func(pg *page) bool { return graph.Lower(pg.Username) == key })
		}
	default:
		return nil, &platform.Error{Kind: platform.KindInvalid, Op: "pages", Err: errLookup}
	}
	return p.Client.Observe(ctx, l, refs)
}

func valid(s string, ok func(string) bool) string {
	if ok(s) {
		return s
	}
	return ""
}

// isHandle: letters, digits, full stops, and the lines of old addresses, at most 100,
// with a letter in it (digits alone would be an id) and not the name of a folder.
func isHandle(s string) bool {
	s = graph.Lower(s)
	return len(s) <= platform.MaxHandle && !strings.HasPrefix(s, ".") && strings.ContainsAny(s, letters) &&
		strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune(letters+"0123456789._-", r) }) < 0
}

// read reads a Page; nil without an error: its people have unpublished it.
func read(body []byte, asked func(*page) bool) (*platform.Profile, error) {
	var pg page
	if json.Unmarshal(body, &pg) != nil {
		return nil, graph.ErrMalformed
	}
	if !asked(&pg) {
		return nil, graph.ErrForeign
	}
	if !graph.IsID(pg.ID) || pg.Name == "" {
		return nil, graph.ErrMalformed
	}
	if pg.Published != nil && !*pg.Published {
		return nil, nil
	}
	return pg.profile(), nil
}

// profile makes the text safe. Unread holds what is always told and was not, and
// what cannot be used.
func (pg *page) profile() *platform.Profile {
	p := &platform.Profile{
		ID:          pg.ID,
		Handle:      platform.Visible(pg.Username, platform.MaxHandle),
		DisplayName: platform.Visible(pg.Name, platform.MaxDisplayName),
		Bio:         platform.Visible(cmp.Or(pg.About, pg.Bio, pg.Description), platform.MaxBio),
	}
	unless := func(told bool, f platform.Field) {
		if !told {
			p.Unread |= platform.Fields(f)
		}
	}
	var told bool
	p.Website, told = graph.Link(pg.Website)
	unless(told, platform.FieldWebsite)
	p.AvatarURL, told = pg.avatar()
	unless(told, platform.FieldAvatar)
	p.BannerURL, told = pg.banner()
	unless(told, platform.FieldBanner)
	p.Verified, told = pg.verified()
	unless(told, platform.FieldVerified)
	p.Followers, told = graph.Count(pg.Followers)
	unless(told, platform.FieldFollowers)
	return p
}

// avatar: the silhouette is what a Page without an image shows.
func (pg *page) avatar() (string, bool) {
	if pg.Picture == nil {
		return "", false
	}
	if pg.Picture.Data.Silhouette {
		return "", true
	}
	if pg.Picture.Data.URL == "" {
		return "", false
	}
	return graph.Link(pg.Picture.Data.URL)
}

func (pg *page) banner() (string, bool) {
	if pg.Cover == nil {
		return "", true
	}
	if pg.Cover.Source == "" {
		return "", false
	}
	return graph.Link(pg.Cover.Source)
}

// verified: two statements that differ cancel each other. The values of
// verification_status are not in the specification, so an unknown one says nothing.
func (pg *page) verified() (verified, told bool) {
	status, known := map[string]bool{"blue_verified": true, "gray_verified": true, "not_verified": false}[pg.Verification]
	switch {
	case pg.Verified == nil:
		return status, known
	case known && status != *pg.Verified:
		return false, false
	}
	return *pg.Verified, true
}
