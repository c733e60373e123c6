package instagram

import (
	"sync"

	"mithaq.dev/mithaq/internal/platform"
)

// The fields that a Profile is made of. The website is documented, but not in
// IGUser.json. Of discovery, the name and the picture lack the documentation's mark
// of public fields, and has_profile_pic is not in its list.
const (
	always    = "id,username,biography,followers_count,media_count"
	byID      = always + ",name,profile_picture_url,has_profile_pic"
	byHandle  = always + ",name,profile_picture_url"
	withPlace = ",website"
)

// selection is a list of fields, and what stays unknown with it.
type selection struct {
	list   string
	unread platform.FieldSet
}

var (
	noWebsite = platform.Fields(platform.FieldWebsite)
	noFace    = platform.Fields(platform.FieldDisplayName, platform.FieldAvatar)
)

// selections are what to ask for, each after the one before was refused.
var selections = map[platform.Lookup][]selection{
	platform.ByID: {{byID + withPlace, 0}, {byID, noWebsite}},
	platform.ByHandle: {
		{byHandle + withPlace, 0}, {byHandle, noWebsite}, {always + withPlace, noFace}, {always, noWebsite | noFace},
	},
}

// fields remembers, for one client, how much of the selections was refused.
type fields struct {
	mu     sync.Mutex
	levels map[platform.Lookup]int
}

func (f *fields) level(by platform.Lookup) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.levels[by]
}

// drop goes on to the selection after level, and reports whether there is one.
func (f *fields) drop(by platform.Lookup, level int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.levels == nil {
		f.levels = make(map[platform.Lookup]int)
	}
	if level+1 >= len(selections[by]) {
		return false
	}
	f.levels[by] = max(f.levels[by], level+1)
	return true
}
