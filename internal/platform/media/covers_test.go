package media

import "testing"

func TestADomainCoversTheNamesBelowIt(t *testing.T) {
	for entry, hosts := range map[string]map[string]bool{
		".fbcdn.net":    {"scontent.xx.fbcdn.net": true, "a.fbcdn.net": true, "fbcdn.net": false, "evilfbcdn.net": false},
		".FBCDN.net":    {"a.fbcdn.net": true},
		"pbs.twimg.com": {"pbs.twimg.com": true, "a.pbs.twimg.com": false},
		"":              {"a.example": false, "": true},
	} {
		for host, want := range hosts {
			if covers(entry, host) != want {
				t.Errorf("%q covers %q: %v", entry, host, !want)
			}
		}
	}
}
