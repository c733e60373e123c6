package x

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"mithaq.dev/mithaq/internal/platform"
)

const parameterFields = "user.fields"

// wanted are the user.fields that a Profile is made of, in the spelling of
// OpenAPI 2.159, and the fields that are unknown without each. The id, the name
// and the username are always told.
var wanted = []struct {
	name  string
	feeds platform.FieldSet
}{
	{"description", platform.Fields(platform.FieldBio)},
	{"entities", platform.Fields(platform.FieldWebsite)},
	{"location", platform.Fields(platform.FieldLocation)},
	{fieldMostRecent, platform.Fields(platform.FieldLastPost)},
	{"profile_banner_url", platform.Fields(platform.FieldBanner)},
	{"profile_image_url", platform.Fields(platform.FieldAvatar)},
	{"protected", platform.Fields(platform.FieldProtected)},
	{"public_metrics", platform.Fields(platform.FieldFollowers, platform.FieldPosts)},
	{"url", platform.Fields(platform.FieldWebsite)},
	{"verified", platform.Fields(platform.FieldVerified)},
}

// fieldMostRecent is the only wanted field that OpenAPI 2.167 no longer has.
const fieldMostRecent = "most_recent_tweet_id"

// fields remembers, for one client, which user.fields X refused.
type fields struct {
	mu      sync.Mutex
	refused map[string]bool
}

// ask is the list to send now.
func (f *fields) ask() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var names []string
	for _, w := range wanted {
		if !f.refused[w.name] {
			names = append(names, w.name)
		}
	}
	return names
}

// drop reads a 400 and forgets the fields that it refuses. It reports whether
// there were any among those asked, so that asking again makes sense.
func (f *fields) drop(asked []string, answer *platform.Answer) bool {
	names := refusedFields(asked, answer)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refused == nil {
		f.refused = make(map[string]bool)
	}
	for _, name := range names {
		f.refused[name] = true
	}
	return len(names) > 0
}

// refusedFields are the names among asked that a 400 of type invalid-request
// refuses. The specification says that errors[].parameters holds, by parameter,
// the values at fault; it may repeat the whole list, and errors[].message then
// names the value in brackets. Where neither singles one out, it is the one that
// the versions of the specification disagree about.
func refusedFields(asked []string, answer *platform.Answer) []string {
	var p problem
	if answer.Status != http.StatusBadRequest || answer.DecodeJSON("", &p) != nil {
		return nil
	}
	var names []string
	blamed := false
	for _, e := range p.Errors {
		values, ok := e.Parameters[parameterFields]
		if !ok {
			continue
		}
		blamed = true
		names = append(names, atFault(asked, values, e.Message)...)
	}
	if blamed && len(names) == 0 && slices.Contains(asked, fieldMostRecent) {
		names = []string{fieldMostRecent}
	}
	return names
}

func atFault(asked, values []string, message string) []string {
	given := strings.Split(strings.Join(values, ","), ",")
	var named, single []string
	for _, name := range asked {
		if strings.Contains(message, "["+name+"]") {
			named = append(named, name)
		}
		if slices.Contains(given, name) {
			single = append(single, name)
		}
	}
	if len(named) > 0 {
		return named
	}
	if len(single) < len(asked) {
		return single
	}
	return nil
}

// unasked are the fields that a list without some of the wanted ones leaves unknown.
func unasked(asked []string) platform.FieldSet {
	var set platform.FieldSet
	for _, w := range wanted {
		if !slices.Contains(asked, w.name) {
			set |= w.feeds
		}
	}
	return set
}
