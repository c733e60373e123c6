package snapchat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"time"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/scroll"
)

const (
	endpointSpotlights = "/v1/public_profiles/:id/spotlights"
	opSpotlights       = "spotlights"
)

var (
	errStream  = errors.New("no such stream")
	errLimit   = errors.New("the limit is less than one")
	errForeign = errors.New("the answer holds what is not the account's")
)

// reader implements platform.ActivityReader.
type reader struct{ *sender }

// spotlights is the body of a page of Spotlights.
type spotlights struct {
	envelope
	Spotlights []struct {
		item
		Spotlight spotlight `json:"spotlight"`
	} `json:"spotlights"`
}

type spotlight struct {
	ID        string          `json:"id"`
	Profile   string          `json:"profile_id"`
	CreatedAt json.RawMessage `json:"created_at"`
	Title     string          `json:"title"`
	Caption   string          `json:"caption"`
	Link      string          `json:"link"`
}

// Activity reads one page of the Spotlights of one account.
func (r *reader) Activity(
	ctx context.Context, stream platform.Stream, asks []platform.ActivityAsk,
) ([]platform.ActivityAnswer, error) {
	if stream != platform.StreamPosts {
		return nil, invalid(opSpotlights, errStream)
	}
	if len(asks) > 1 {
		return nil, invalid(opSpotlights, errBatch)
	}
	answers := make([]platform.ActivityAnswer, len(asks))
	for i, ask := range asks {
		answer, err := r.spotlights(ctx, ask)
		if err != nil {
			answer = platform.ActivityAnswer{Err: err}
		}
		answer.Ref = ask.Ref
		answers[i] = answer
	}
	return answers, nil
}

func (r *reader) spotlights(ctx context.Context, ask platform.ActivityAsk) (platform.ActivityAnswer, error) {
	place, err := scroll.Parse(ask.Cursor)
	switch {
	case err != nil:
		return platform.ActivityAnswer{}, invalid(opSpotlights, err)
	case !isID(ask.Ref.ID):
		return platform.ActivityAnswer{}, invalid(opSpotlights, errBadRef)
	case ask.Limit < 1:
		return platform.ActivityAnswer{}, invalid(opSpotlights, errLimit)
	}
	c := call{
		op: opSpotlights, endpoint: endpointSpotlights, path: pathOf(endpointSpotlights, ask.Ref.ID),
		host: r.cfg.Endpoint, query: url.Values{}, own: ask.Token, paged: true,
	}
	if place.Page() != "" {
		c.query.Set("cursor", place.Page())
	}
	answer, err := r.read(ctx, c)
	if err != nil {
		return platform.ActivityAnswer{}, err
	}
	var body spotlights
	if err := decode(opSpotlights, answer, &body, &body.Status); err != nil {
		return platform.ActivityAnswer{}, err
	}
	acts, err := body.acts(ask.Ref.ID)
	if err != nil {
		return platform.ActivityAnswer{}, unbelievable(opSpotlights, err)
	}
	told := place.Turn(acts, body.next(), ask.Since, ask.Limit)
	cursor, err := told.Next.Cursor()
	if err != nil {
		return platform.ActivityAnswer{}, unbelievable(opSpotlights, err)
	}
	return platform.ActivityAnswer{Acts: told.Acts, Cursor: cursor, More: told.More, Items: len(body.Spotlights)}, nil
}

// acts are the Spotlights of a page. One that failed, or is another account's, spoils
// the page: the cursor would move past what was not told.
func (s *spotlights) acts(id string) ([]platform.Act, error) {
	acts := make([]platform.Act, 0, len(s.Spotlights))
	for _, it := range s.Spotlights {
		if !is(it.Status, statusSuccess) {
			return nil, errItem
		}
		if it.Spotlight.Profile != "" && it.Spotlight.Profile != id {
			return nil, errForeign
		}
		act, ok := it.Spotlight.act()
		if !ok {
			return nil, errMalformed
		}
		acts = append(acts, act)
	}
	return acts, nil
}

func (s *spotlight) act() (platform.Act, bool) {
	at, ok := timeOf(s.CreatedAt)
	if s.ID == "" || len(s.ID) > 256 || !ok {
		return platform.Act{}, false
	}
	text := s.Title
	if s.Caption != "" && s.Caption != s.Title {
		if text != "" {
			text += "\n"
		}
		text += s.Caption
	}
	links := platform.LinksIn(text)
	if platform.IsWebLink(s.Link) {
		links = append([]string{s.Link}, links...)
	}
	return platform.Act{
		ID: s.ID, Action: platform.Publish, At: at, Text: platform.CapText(text), Links: links,
		URL: "https://www.snapchat.com/spotlight/" + url.PathEscape(s.ID),
	}, true
}

// timeOf reads a time that is RFC 3339, or seconds or milliseconds since 1970: which
// of them is not documented.
func timeOf(raw json.RawMessage) (time.Time, bool) {
	const milliseconds = 100_000_000_000 // as seconds, the year 5138
	text := string(bytes.Trim(raw, `"`))
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 {
		if n >= milliseconds {
			return time.UnixMilli(n).UTC(), true
		}
		return time.Unix(n, 0).UTC(), true
	}
	t, err := time.Parse(time.RFC3339, text)
	return t.UTC(), err == nil
}
