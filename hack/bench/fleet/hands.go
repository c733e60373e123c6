package fleet

import (
	"fmt"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// The people of a handover on Meta and Snapchat, where an organisation lists its own: one
// leaves, one follows. On YouTube, where ending a person's grant ends it for all of their
// channels, each channel has people of its own; on X an account is nobody but itself.
const (
	leaver, follower             = "leaver@edu.example", "follower@edu.example"
	leaverID, followerID         = "811", "812"
	leaverMember, followerMember = "a71cfcae-895d-4314-9460-e2ffd2519001", "a71cfcae-895d-4314-9460-e2ffd2519002"
)

// The second app of X, by which no revocation ends what it must not.
const (
	XSecond       = "x-moe-app-b"
	xSecondKey    = "bench-key-b"
	xSecondSecret = "bench-secret-b"
)

// Holder is who is accountable for the account before a handover, or after it.
func (a Account) Holder(after bool) v1alpha1.PersonName {
	switch {
	case a.Platform == v1alpha1.PlatformX || a.Platform == v1alpha1.PlatformYouTube:
		if after {
			return v1alpha1.PersonName(fmt.Sprintf("next-%06d@edu.example", a.Body))
		}
		return v1alpha1.PersonName(fmt.Sprintf("head-%06d@edu.example", a.Body))
	case after:
		return follower
	}
	return leaver
}

// Choice is what that person chooses at the platform's dialog; ok is false where tokens
// are issued without one.
func (a Account) Choice(after bool) (c world.Choice, ok bool) {
	switch a.Platform {
	case v1alpha1.PlatformX:
		return world.Choice{Person: a.ID}, true
	case v1alpha1.PlatformYouTube:
		return world.Choice{Person: channelPerson(a.Body, after), Account: a.ID}, true
	case v1alpha1.PlatformSnapchat:
		if after {
			return world.Choice{Person: followerMember, Account: a.ID}, true
		}
		return world.Choice{Person: leaverMember, Account: a.ID}, true
	case v1alpha1.PlatformFacebook, v1alpha1.PlatformInstagram:
	}
	return world.Choice{}, false
}

func channelPerson(body int, after bool) string {
	first := 2_000_000
	if after {
		first = 4_000_000
	}
	return fmt.Sprint(first + body)
}

// Leaver is the path, at the simulator's control endpoint, of the one whom people remove
// from Snapchat's organisation.
const Leaver = "/v1/people/Snapchat/" + leaverMember

// Hands adds the apps and people whom the handovers of the first n accounts need.
func (f *Fleet) Hands(w *world.Fleet, n int) {
	f.hands = true
	w.Apps = append(w.Apps, world.App{Platform: world.X, APIKey: xSecondKey, APISecret: xSecondSecret, AppToken: XBearer + "-b"})
	for _, p := range []world.Platform{world.Facebook, world.Instagram} {
		w.People = append(w.People,
			world.Person{Platform: p, ID: leaverID, Name: "Leaver", Email: leaver, Organisation: portfolio, OrganisationRole: "EMPLOYEE"},
			world.Person{Platform: p, ID: followerID, Name: "Follower", Email: follower, Organisation: portfolio, OrganisationRole: "EMPLOYEE"})
	}
	w.People = append(w.People,
		world.Person{Platform: world.Snapchat, ID: leaverMember, Name: "Leaver", Email: leaver, Organisation: Organisation, OrganisationRole: "admin"},
		world.Person{Platform: world.Snapchat, ID: followerMember, Name: "Follower", Email: follower, Organisation: Organisation, OrganisationRole: "admin"})
	for i := range min(n, f.N) {
		a := f.At(i)
		switch a.Platform {
		case v1alpha1.PlatformYouTube:
			for _, after := range []bool{false, true} {
				w.People = append(w.People, world.Person{Platform: world.YouTube, ID: channelPerson(a.Body, after), Email: string(a.Holder(after)), Organisation: "edu.example"})
			}
		case v1alpha1.PlatformFacebook, v1alpha1.PlatformInstagram:
			w.Roles = append(w.Roles, world.Role{Platform: world.Platform(a.Platform), Account: a.ID, Person: leaverID, Tasks: []string{"MANAGE"}})
		case v1alpha1.PlatformX, v1alpha1.PlatformSnapchat:
		}
	}
}

// Keys adds to the app Secrets what handovers need.
func Keys(secrets map[string]map[string]string) {
	for _, name := range []string{"facebook-moe-app", "instagram-moe-app"} {
		secrets[name]["systemUserID"], secrets[name]["businessID"] = systemUser, portfolio
	}
	secrets["youtube-moe-app"]["clientID"], secrets["youtube-moe-app"]["clientSecret"] = "bench-project", "bench-project-secret"
}
