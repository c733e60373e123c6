package e2e

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// change is a change of hands on one platform, with what the platform really allows.
type change struct {
	on world.Platform
	// tokens is where the simulator keeps the tokens; empty: on.
	tokens world.Platform
	secret map[string]string
	// second is the secret of the second app; nil: there is none.
	second map[string]string
	// before prepares the platform for an account of a scene.
	before func(t *testing.T, s *scene, live world.Account, acc *v1alpha1.SocialAccount)
	// consents are who consents, first the former and then the new holder; nil: tokens
	// are issued by API.
	consents func(live world.Account, person v1alpha1.PersonName) world.Choice
	// people do what only people can, before they attest it.
	people func(t *testing.T, s *scene, live world.Account)
	// steps are those that must be asked for, and never those that must not.
	steps, never []string
	// provenance is how the end of the former holder's access is known.
	provenance v1alpha1.Provenance
	// after checks the platform at the end.
	after func(t *testing.T, s *scene, live world.Account)
}

const (
	formerID = "9001"
	newID    = "9002"
	// successor becomes accountable in these scenes.
	successor = "successor@edu.example"
)

// person is the platform's id of who is accountable.
func person(address v1alpha1.PersonName, former, next string) string {
	if address == successor {
		return next
	}
	return former
}

func put(t *testing.T, s *scene, people ...world.Person) {
	t.Helper()
	for _, p := range people {
		if err := s.world.PutPerson(p); err != nil {
			t.Fatal(err)
		}
	}
}

// onYouTube: people consent, and an administrator of the domain ends sessions.
var onYouTube = change{
	on: world.YouTube,
	secret: map[string]string{
		"clientID": "key", "clientSecret": "secret", "workspaceRefreshToken": "workspace-refresh",
	},
	before: func(t *testing.T, s *scene, _ world.Account, acc *v1alpha1.SocialAccount) {
		put(t, s,
			world.Person{Platform: world.YouTube, ID: formerID, Email: string(acc.Spec.Owner.Accountable), Organisation: "edu.example"},
			world.Person{Platform: world.YouTube, ID: newID, Email: successor, Organisation: "edu.example"},
			world.Person{Platform: world.YouTube, ID: "9000", Email: "admin@edu.example", Organisation: "edu.example", OrganisationRole: "admin"},
		)
		if err := s.world.UpdateSecurity(world.YouTube, formerID, func(sec *world.Security) { sec.Sessions = 2 }); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.world.Mint(world.Mint{
			Platform: world.YouTube, Client: "key", Person: "9000", Kind: world.RefreshToken, Value: "workspace-refresh",
			Scopes: []string{"https://www.googleapis.com/auth/admin.directory.user.security"},
		}); err != nil {
			t.Fatal(err)
		}
	},
	consents: func(live world.Account, p v1alpha1.PersonName) world.Choice {
		return world.Choice{Person: person(p, formerID, newID), Account: live.ID}
	},
	steps: []string{"remove-channel-permissions", "change-password"}, never: []string{"end-sessions"},
	provenance: v1alpha1.ProvenanceAttested,
	after: func(t *testing.T, s *scene, _ world.Account) {
		if n := s.world.SecurityOf(world.YouTube, formerID).Sessions; n != 0 {
			t.Errorf("the former holder has %d sessions", n)
		}
	},
}

// portfolioOf seats the former holder in the portfolio and on the account.
func portfolioOf(on world.Platform) func(*testing.T, *scene, world.Account, *v1alpha1.SocialAccount) {
	return func(t *testing.T, s *scene, live world.Account, acc *v1alpha1.SocialAccount) {
		for _, p := range []world.Platform{world.Facebook, world.Instagram} {
			put(t, s, world.Person{
				Platform: p, ID: formerID, Name: "Former", Email: string(acc.Spec.Owner.Accountable), Organisation: portfolio, OrganisationRole: "EMPLOYEE",
			})
		}
		if err := s.world.PutRole(world.Role{Platform: on, Account: live.ID, Person: formerID, Tasks: []string{"MANAGE"}}); err != nil {
			t.Fatal(err)
		}
	}
}

// unseatedOn: the former holder is off the account and still in the portfolio.
func unseatedOn(on world.Platform) func(*testing.T, *scene, world.Account) {
	return func(t *testing.T, s *scene, live world.Account) {
		if role, there := s.world.RoleOf(on, live.ID, formerID); there {
			t.Errorf("the former holder still has %+v", role)
		}
		if _, there := s.world.Person(world.Facebook, formerID); !there {
			t.Error("the former holder of one account was removed from the whole portfolio")
		}
	}
}

var bySystemUser = map[string]string{"systemUserID": systemUser, "businessID": portfolio}

// onFacebook: a system user's tokens, and people removed by API.
var onFacebook = change{
	on: world.Facebook, secret: bySystemUser, before: portfolioOf(world.Facebook),
	steps: []string{"remove-direct-admins"}, never: []string{"remove-from-account"}, provenance: v1alpha1.ProvenanceAttested,
	after: unseatedOn(world.Facebook),
}

// onFacebookByPeople: without a system user people consent, and nobody is listed.
var onFacebookByPeople = change{
	on: world.Facebook,
	before: func(t *testing.T, s *scene, live world.Account, acc *v1alpha1.SocialAccount) {
		for _, id := range []string{formerID, newID} {
			put(t, s, world.Person{Platform: world.Facebook, ID: id, Name: "P" + id, Organisation: portfolio, OrganisationRole: "EMPLOYEE"})
			if err := s.world.PutRole(world.Role{Platform: world.Facebook, Account: live.ID, Person: id, Tasks: []string{"MANAGE"}}); err != nil {
				t.Fatal(err)
			}
		}
	},
	consents: func(_ world.Account, p v1alpha1.PersonName) world.Choice {
		return world.Choice{Person: person(p, formerID, newID)}
	},
	steps: []string{"remove-direct-admins", "change-password"}, provenance: v1alpha1.ProvenanceAttested,
}

// onInstagram: as on Facebook, by the asset of the portfolio.
var onInstagram = change{
	on: world.Instagram, tokens: world.Facebook, secret: bySystemUser, before: portfolioOf(world.Instagram),
	steps: []string{"change-password"}, never: []string{"remove-from-account"}, provenance: v1alpha1.ProvenanceAttested,
	after: unseatedOn(world.Instagram),
}

// onInstagramItself: Instagram's own login, where no API revokes: people remove the
// former app from the account, and a probe shows it.
var onInstagramItself = change{
	on:     world.Instagram,
	secret: map[string]string{"login": "instagram", "clientID": "2000", "clientSecret": "hush"},
	second: map[string]string{"login": "instagram", "clientID": "2001", "clientSecret": "hush"},
	before: func(t *testing.T, s *scene, _ world.Account, _ *v1alpha1.SocialAccount) {
		for _, key := range []string{"2000", "2001"} {
			if err := s.world.PutApp(world.App{Platform: world.Instagram, APIKey: key, APISecret: "hush"}); err != nil {
				t.Fatal(err)
			}
		}
	},
	consents: func(live world.Account, _ v1alpha1.PersonName) world.Choice { return world.Choice{Account: live.ID} },
	people: func(t *testing.T, s *scene, live world.Account) {
		if n, err := s.world.EndGrants(world.Instagram, world.TokenQuery{Client: "2000"}, world.CauseAppRemoved); err != nil || n == 0 {
			t.Fatalf("removing the former app ended %d tokens: %v", n, err)
		}
	},
	steps: []string{"remove-our-app", "change-password"}, provenance: v1alpha1.ProvenanceAttested,
}

const (
	formerMember = "a71cfcae-895d-4314-9460-e2ffd2519001"
	newMember    = "a71cfcae-895d-4314-9460-e2ffd2519002"
)

// onSnapchat: people consent, members are listed, and only people remove them.
var onSnapchat = change{
	on: world.Snapchat,
	before: func(t *testing.T, s *scene, _ world.Account, acc *v1alpha1.SocialAccount) {
		put(t, s,
			world.Person{
				Platform: world.Snapchat, ID: formerMember, Name: "Former", Email: string(acc.Spec.Owner.Accountable),
				Organisation: organisation, OrganisationRole: "admin",
			},
			world.Person{Platform: world.Snapchat, ID: newMember, Name: "New", Email: successor, Organisation: organisation, OrganisationRole: "admin"},
		)
	},
	consents: func(live world.Account, p v1alpha1.PersonName) world.Choice {
		return world.Choice{Person: person(p, formerMember, newMember), Account: live.ID}
	},
	people: func(t *testing.T, s *scene, _ world.Account) {
		if err := s.world.RemovePerson(world.Snapchat, formerMember); err != nil {
			t.Fatal(err)
		}
	},
	steps: []string{"remove-from-account", "remove-profile-roles"}, provenance: v1alpha1.ProvenanceAttested,
}

// play takes an account from its first credential to another person's hands.
func (c change) play(t *testing.T) {
	t.Parallel()
	s := newCustodySceneOn(t, c.on, c.apps)
	if c.second != nil {
		s.secondApp(t, c.data(c.second))
	}
	live := s.live("held")
	acc := s.account("held", func(a *v1alpha1.SocialAccount) {
		a.Spec.Credentials = &v1alpha1.AccountCredentials{SecretRef: v1alpha1.LocalReference{Name: v1alpha1.ObjectName(a.Name)}}
	})
	s.put(t, live)
	c.before(t, s, live, acc)
	s.declare(t, acc)

	// The first credential comes by the same way as any other.
	c.consent(t, s, live, acc)
	s.settles(t, acc, 1)
	before := c.published(t, s, acc)

	s.world.ResetHistory()
	edit(t, acc, func(a *v1alpha1.SocialAccount) { a.Spec.Owner.Accountable = successor })
	acc.Spec.Owner.Accountable = successor
	c.consent(t, s, live, acc)
	c.asked(t, acc)
	if c.people != nil {
		c.people(t, s, live)
	}
	attest(t, acc)
	last := s.settles(t, acc, 2)

	after := c.published(t, s, acc)
	if old, _ := s.world.Token(c.keeps(), before); after == before || old.Alive(time.Now()) {
		t.Errorf("settled, and the former access token works: same %v", after == before)
	}
	if n := len(mutating(s)); n > 4 {
		t.Errorf("%d mutating calls: %+v", n, mutating(s))
	}
	held := last.Status.Custody
	if len(held) != 2 || held[0].Until == nil || held[1].Accountable != successor || held[1].Provenance != c.provenance {
		t.Errorf("custody %+v, want provenance %s", held, c.provenance)
	}
	if c.after != nil {
		c.after(t, s, live)
	}
	s.tellsNothing(t, before, after)
}

// apps gives the scene's connection what the change needs.
func (c change) apps(s *scene) {
	s.secret.Data = c.data(c.secret)
	if c.second != nil {
		s.connection.Spec.AlternateAppSecretRef = &v1alpha1.LocalReference{Name: v1alpha1.ObjectName("x-" + s.name + "-b")}
	}
}

func (c change) data(more map[string]string) map[string][]byte {
	data := maps.Clone(sites[c.on].secret)
	for key, value := range more {
		data[key] = []byte(value)
	}
	return data
}

func (c change) keeps() world.Platform {
	if c.tokens != "" {
		return c.tokens
	}
	return c.on
}

func (c change) consent(t *testing.T, s *scene, live world.Account, acc *v1alpha1.SocialAccount) {
	t.Helper()
	if c.consents != nil {
		s.consentBy(t, acc, c.consents(live, acc.Spec.Owner.Accountable))
	}
}

// published is the access token in the outbox, which must work.
func (c change) published(t *testing.T, s *scene, acc *v1alpha1.SocialAccount) string {
	t.Helper()
	value := s.outbox(t, acc)
	if got, ok := s.world.Token(c.keeps(), value); !ok || !got.Alive(time.Now()) {
		t.Fatalf("the outbox holds no token that works: known %v", ok)
	}
	return value
}

// asked waits until people are asked for their part, and nothing else is open.
func (c change) asked(t *testing.T, acc *v1alpha1.SocialAccount) {
	t.Helper()
	var names []string
	until(t, func(context.Context) (string, error) {
		is := read(t, acc)
		names = nil
		if is.Status.Handover == nil || is.Status.Handover.Phase != v1alpha1.PhaseUnseating {
			return fmt.Sprintf("handover %s, %v", show(is.Status.Handover), meta.FindStatusCondition(is.Status.Conditions, v1alpha1.ConditionHandoverComplete)), nil
		}
		for _, step := range is.Status.Handover.HumanSteps {
			if step.State != v1alpha1.HumanStepOpen {
				return fmt.Sprintf("step %+v", step), nil
			}
			names = append(names, string(step.Step))
		}
		if len(names) == 0 {
			return "no human steps", nil
		}
		return "", nil
	})
	for _, want := range c.steps {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not asked for: %v", want, names)
		}
	}
	for _, never := range c.never {
		if slices.Contains(names, never) {
			t.Errorf("%s is asked of people, and the API does it: %v", never, names)
		}
	}
}

// mutating are the calls that changed something, a person's consent apart.
func mutating(s *scene) []world.Call {
	return slices.DeleteFunc(s.world.History().Calls, func(c world.Call) bool { return !c.Mutating || c.Effect == "authorize" || c.Effect == "" })
}

func TestAHandoverOnYouTube(t *testing.T)          { onYouTube.play(t) }
func TestAHandoverOnFacebook(t *testing.T)         { onFacebook.play(t) }
func TestAHandoverOnFacebookByPeople(t *testing.T) { onFacebookByPeople.play(t) }
func TestAHandoverOnInstagram(t *testing.T)        { onInstagram.play(t) }
func TestAHandoverOnInstagramItself(t *testing.T)  { onInstagramItself.play(t) }
func TestAHandoverOnSnapchat(t *testing.T)         { onSnapchat.play(t) }

// Where nobody leaves, nothing is left to people: the platform's own answers prove it.
func TestAHandoverInWhichNobodyLeavesIsProven(t *testing.T) {
	t.Parallel()
	s := newCustodyScene(t, func(s *scene) {
		s.policy.Spec.Credentials.RotateOn = []v1alpha1.RotateOn{v1alpha1.RotateOnUnitChanged}
	})
	acc := s.held(t, "moved")
	s.consent(t, acc)
	s.settles(t, acc, 1)
	before := s.outbox(t, acc)
	edit(t, acc, func(a *v1alpha1.SocialAccount) { a.Spec.Owner.Unit = "elsewhere" })
	s.consent(t, acc)
	last := s.settles(t, acc, 2)
	if old, _ := s.world.Token(world.X, before); old.Alive(time.Now()) {
		t.Error("settled, and the former access token works")
	}
	held := last.Status.Custody
	if len(held) != 2 || held[1].Unit != "elsewhere" || held[1].Provenance != v1alpha1.ProvenanceProven {
		t.Errorf("custody %+v", held)
	}
}
