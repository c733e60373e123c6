// Package conformance holds each adapter against the simulator of its platform.
// Both were written from the platform's contract and neither from the other, so
// what they disagree about is a mistake of one of them.
package conformance

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"k8s.io/utils/clock"

	"mithaq.dev/mithaq/hack/platformsim/world"
	simx "mithaq.dev/mithaq/hack/platformsim/x"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/platformtest"
	"mithaq.dev/mithaq/internal/platform/x"
)

// simulate serves accounts of every kind, and says what an adapter must find.
func simulate(t *testing.T, options simx.Options) (endpoint string, known []platformtest.Said) {
	t.Helper()
	w := world.New(clock.RealClock{})
	if err := w.PutApp(world.App{Platform: "X", APIKey: "key", APISecret: "secret", AppToken: "token"}); err != nil {
		t.Fatal(err)
	}
	states := map[string]platform.Outcome{"Active": platform.Found, "Suspended": platform.Suspended, "Deleted": platform.NotFound, "Deactivated": platform.NotFound}
	i := 0
	for state, outcome := range states {
		for range 40 {
			i++
			id, handle := fmt.Sprint(2244990000+i), fmt.Sprintf("edu_%d", i)
			if err := w.Put(world.Account{
				Platform: "X", ID: id, Handle: handle, DisplayName: "إدارة " + handle, Bio: "الحساب الرسمي", Website: "https://edu.example/" + handle,
				Image: "emblem", Verified: i%2 == 0, Protected: i%7 == 0, State: world.State(state), Followers: int64(i), Posts: int64(i),
			}); err != nil {
				t.Fatal(err)
			}
			known = append(known, platformtest.Said{Ref: platform.AccountRef{ID: id, Handle: handle}, Outcome: outcome})
		}
	}
	known = append(known, platformtest.Said{Ref: platform.AccountRef{ID: "999", Handle: "nobody_there"}, Outcome: platform.NotFound})
	server := httptest.NewServer(simx.New(w, options))
	t.Cleanup(server.Close)
	return server.URL, known
}

func TestXAdapterAgainstSimulator(t *testing.T) {
	for name, app := range map[string]platform.Secret{
		"app token":      {"appToken": []byte("token"), "clientID": []byte("key"), "clientSecret": []byte("secret")},
		"key and secret": {"apiKey": []byte("key"), "apiSecret": []byte("secret"), "clientID": []byte("key")},
	} {
		for _, spelling := range []string{"tweet", "mixed"} {
			t.Run(name+"/"+spelling, func(t *testing.T) {
				endpoint, known := simulate(t, simx.Options{Spelling: simx.Spelling(spelling), Limit: 100000})
				platformtest.Run(t, platformtest.Subject{Adapter: x.Adapter(), App: app, Endpoint: endpoint, Known: known, Now: time.Now})
			})
		}
	}
}

// TestFactsAreFields: the rules' facts and the platforms' fields are the same
// bits, since one is converted to the other.
func TestFactsAreFields(t *testing.T) {
	for fact, field := range map[governance.Facts]platform.Field{
		governance.FactHandle: platform.FieldHandle, governance.FactDisplayName: platform.FieldDisplayName,
		governance.FactBio: platform.FieldBio, governance.FactWebsite: platform.FieldWebsite,
		governance.FactAvatar: platform.FieldAvatar, governance.FactBanner: platform.FieldBanner,
		governance.FactVerified: platform.FieldVerified, governance.FactProtected: platform.FieldProtected,
		governance.FactFollowers: platform.FieldFollowers, governance.FactPosts: platform.FieldPosts,
		governance.FactLastPost: platform.FieldLastPost, governance.FactLocation: platform.FieldLocation,
	} {
		if fact != governance.Facts(platform.Fields(field)) {
			t.Errorf("fact %b is not field %b", fact, field)
		}
	}
}
