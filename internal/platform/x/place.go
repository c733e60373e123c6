package x

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

const placeVersion = "x1"

// place is where a timeline was read to. X takes since_id and until_id, so ids
// alone say where to go on, and no page token has to be kept.
type place struct {
	// since is the newest post of the last reading that came to its end.
	since string
	// newest and until are the newest and the oldest of the reading under way.
	newest, until string
	// from bounds a first reading, in Unix seconds; 0: not at all.
	from int64
}

func parsePlace(cursor platform.Cursor, since time.Time) (place, error) {
	if cursor == "" {
		p := place{}
		if !since.IsZero() {
			p.from = since.Unix()
		}
		return p, nil
	}
	parts := strings.Split(string(cursor), ".")
	if len(parts) != 5 || parts[0] != placeVersion {
		return place{}, errCursor
	}
	p := place{since: parts[1], newest: parts[2], until: parts[3]}
	var err error
	p.from, err = strconv.ParseInt(parts[4], 10, 64)
	odd := func(id string) bool { return id != "" && !isID(id) }
	if err != nil || p.from < 0 || (p.newest == "") != (p.until == "") || slices.ContainsFunc(parts[1:4], odd) {
		return place{}, errCursor
	}
	return p, nil
}

func (p place) cursor() platform.Cursor {
	if p == (place{from: p.from}) {
		return ""
	}
	return platform.Cursor(strings.Join([]string{placeVersion, p.since, p.newest, p.until, strconv.FormatInt(p.from, 10)}, "."))
}

func (p place) query() url.Values {
	query := url.Values{}
	switch {
	case p.since != "":
		query.Set("since_id", p.since)
	case p.from > 0:
		query.Set("start_time", time.Unix(p.from, 0).UTC().Format(time.RFC3339))
	}
	if p.until != "" {
		query.Set("until_id", p.until)
	}
	return query
}

// turn takes a page in, whatever its order: what is not between until and since is
// not told again.
func (p place) turn(acts []platform.Act, next bool, limit int) (told []platform.Act, _ place, more bool) {
	slices.SortStableFunc(acts, func(a, b platform.Act) int { return compareIDs(b.ID, a.ID) })
	acts = slices.CompactFunc(acts, func(a, b platform.Act) bool { return a.ID == b.ID })
	told = slices.DeleteFunc(acts, p.beyond)
	cut := len(told) > limit
	if cut {
		told = told[:limit]
	}
	if len(told) > 0 {
		if p.newest == "" {
			p.newest = told[0].ID
		}
		p.until = told[len(told)-1].ID
	}
	if cut || next && len(told) > 0 {
		return told, p, true
	}
	if p.newest != "" {
		p.since = p.newest
	}
	return told, place{since: p.since, from: p.from}, false
}

// beyond reports whether an act is not between since and until.
func (p place) beyond(a platform.Act) bool {
	return p.since != "" && compareIDs(a.ID, p.since) <= 0 || p.until != "" && compareIDs(a.ID, p.until) >= 0
}

// compareIDs orders decimal strings without leading zeros.
func compareIDs(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}
