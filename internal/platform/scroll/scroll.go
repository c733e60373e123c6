// Package scroll keeps the place in a feed that is listed newest first, page by
// page, and cannot be asked "since": it stops at what it knows. Its cursor holds
// fingerprints of ids, because they fit, whatever the platform's ids look like.
package scroll

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"mithaq.dev/mithaq/internal/platform"
)

// ErrCursor says that the cursor is not one of ours.
var ErrCursor = errors.New("the cursor is malformed")

// ErrPage says that the page token does not fit into a cursor.
var ErrPage = errors.New("the page token is too long to be kept")

const (
	version   = "s1"
	separator = "|"
	// marks is how many ids are remembered: the newest may be deleted.
	marks = 3
	// maxCursor is the bound of platform.Cursor.
	maxCursor = 256
)

// Place is where a feed was read to.
type Place struct {
	// known are the newest acts of the last reading that came to its end, at when
	// the newest of them was done.
	known []string
	at    int64
	// newest are those of the reading under way, and newestAt; below is the oldest
	// told of it, and belowAt; page is where it goes on.
	newest   []string
	newestAt int64
	below    string
	belowAt  int64
	page     string
}

// Page is the token of the page to ask for; empty: the first.
func (p Place) Page() string { return p.page }

// Fresh reports whether nothing of the feed was told yet.
func (p Place) Fresh() bool { return len(p.known) == 0 && len(p.newest) == 0 }

// Restart forgets the page, whose token the platform does not take any more: the
// reading begins at the top and skips what it told.
func (p Place) Restart() Place {
	p.page = ""
	return p
}

// Told is what a page added.
type Told struct {
	Acts []platform.Act
	Next Place
	// More: the reading has not come to what is known, or to the end.
	More bool
}

// Turn takes a page in: acts newest first, and the token of the page after it. At
// most limit acts are told; those before since are left out in a first reading.
func (p Place) Turn(acts []platform.Act, next string, since time.Time, limit int) Told {
	fresh, ended := p.fresh(acts, since)
	cut := len(fresh) > limit
	if cut {
		fresh = fresh[:limit]
	}
	told := Told{Acts: fresh, Next: p}
	n := &told.Next
	if len(n.newest) == 0 && len(fresh) > 0 {
		n.newestAt = seconds(fresh[0].At)
		for _, a := range fresh[:min(marks, len(fresh))] {
			n.newest = append(n.newest, fingerprint(a.ID))
		}
	}
	if len(fresh) > 0 {
		oldest := fresh[len(fresh)-1]
		n.below, n.belowAt = fingerprint(oldest.ID), seconds(oldest.At)
	}
	switch {
	case cut:
		told.More = true
	case !ended && next != "" && next != p.page:
		told.More, n.page = true, next
	default:
		*n = n.end()
	}
	return told
}

// end closes a reading: what was newest is what is known from now on.
func (p Place) end() Place {
	if len(p.newest) == 0 {
		return Place{known: p.known, at: p.at}
	}
	return Place{known: p.newest, at: p.newestAt}
}

// fresh are the acts of a page that were not told, and whether it reaches what is
// known. Where acts have no time, a feed that grows by more than a page under a
// reading makes some of them told twice, never left out.
func (p Place) fresh(acts []platform.Act, since time.Time) (fresh []platform.Act, ended bool) {
	for i, a := range acts {
		if p.reached(a, since) {
			acts, ended = acts[:i], true
			break
		}
	}
	if p.below == "" {
		return acts, ended
	}
	if at := slices.IndexFunc(acts, func(a platform.Act) bool { return fingerprint(a.ID) == p.below }); at >= 0 {
		return acts[at+1:], ended
	}
	for i, a := range acts {
		if slices.Contains(p.newest, fingerprint(a.ID)) {
			return nil, ended // what is below is further down still
		}
		if t := seconds(a.At); t != 0 && t <= p.belowAt {
			return acts[i:], ended
		}
	}
	if p.belowAt == 0 {
		return acts, ended
	}
	return nil, ended
}

// reached reports whether a is known, older than what is known, or, in a first
// reading, too old to be wanted.
func (p Place) reached(a platform.Act, since time.Time) bool {
	if len(p.known) == 0 {
		return !since.IsZero() && !a.At.IsZero() && a.At.Before(since)
	}
	if slices.Contains(p.known, fingerprint(a.ID)) {
		return true
	}
	t := seconds(a.At)
	return t != 0 && p.at != 0 && t < p.at
}

// Cursor writes the place down; it fails where the page token is too long.
func (p Place) Cursor() (platform.Cursor, error) {
	if p.Fresh() && p.page == "" {
		return "", nil
	}
	number := func(n int64) string { return strconv.FormatInt(n, 36) }
	text := strings.Join([]string{
		version, strings.Join(p.known, ","), number(p.at), strings.Join(p.newest, ","), number(p.newestAt),
		p.below, number(p.belowAt), url.QueryEscape(p.page),
	}, separator)
	if len(text) > maxCursor {
		return "", ErrPage
	}
	return platform.Cursor(text), nil
}

// Parse reads a cursor.
func Parse(cursor platform.Cursor) (Place, error) {
	if cursor == "" {
		return Place{}, nil
	}
	parts := strings.Split(string(cursor), separator)
	if len(cursor) > maxCursor || len(parts) != 8 || parts[0] != version {
		return Place{}, ErrCursor
	}
	p := Place{known: list(parts[1]), newest: list(parts[3]), below: parts[5]}
	var errs [4]error
	p.at, errs[0] = strconv.ParseInt(parts[2], 36, 64)
	p.newestAt, errs[1] = strconv.ParseInt(parts[4], 36, 64)
	p.belowAt, errs[2] = strconv.ParseInt(parts[6], 36, 64)
	p.page, errs[3] = url.QueryUnescape(parts[7])
	if errors.Join(errs[:]...) != nil || len(p.known) > marks || len(p.newest) > marks {
		return Place{}, ErrCursor
	}
	return p, nil
}

func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// fingerprint is 64 bits of an id: two ids of one feed that agree in them would hide
// one act, once in 2^64.
func fingerprint(id string) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], xxhash.Sum64String(id))
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
