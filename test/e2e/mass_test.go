package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	simmeta "mithaq.dev/mithaq/hack/platformsim/meta"
	"mithaq.dev/mithaq/hack/platformsim/snapchat"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/hack/platformsim/x"
	"mithaq.dev/mithaq/hack/platformsim/youtube"
)

// massEvery is how often an account of these scenes is looked at: often enough that a
// sweep which stops for a handover is noticed, within what the platforms grant.
const massEvery = 20 * time.Second

// longestWait is longer than any platform makes all accounts wait at once: a window of X is
// 15 minutes.
const longestWait = 16 * time.Minute

// throng is a change of hands of many accounts of one platform at once.
type throng struct {
	change
	// serve plays the platform with the limits that it publishes.
	serve func(*world.World) http.Handler
	// leaves is who is accountable before; nil: one person of all.
	leaves func(i int) v1alpha1.PersonName
	next   func(i int) v1alpha1.PersonName
}

func everybody(name v1alpha1.PersonName) func(int) v1alpha1.PersonName {
	return func(int) v1alpha1.PersonName { return name }
}

func each(role string) func(int) v1alpha1.PersonName {
	return func(i int) v1alpha1.PersonName { return v1alpha1.PersonName(fmt.Sprintf("%s-%d@edu.example", role, i)) }
}

// throngs are all platforms. On YouTube, where ending a person's grant ends it for all of
// their channels, each channel has people of its own.
func throngs(n int) []throng {
	// An app whose every account has a user a day, and ten as the platform's least.
	meta := func(w *world.World) http.Handler {
		return simmeta.New(w, simmeta.Options{DailyUsers: int64(max(n, 10))})
	}
	onX := change{
		on: world.X, secret: map[string]string{"clientID": "key", "clientSecret": "secret"},
		second:   map[string]string{"appToken": token + "-b", "clientID": "key-b", "clientSecret": "secret-b"},
		before:   func(*testing.T, *scene, world.Account, *v1alpha1.SocialAccount) {},
		consents: func(live world.Account, _ v1alpha1.PersonName) world.Choice { return world.Choice{Person: live.ID} },
	}
	channels := change{
		on: world.YouTube, secret: map[string]string{"clientID": "key", "clientSecret": "secret"},
		before: func(t *testing.T, s *scene, live world.Account, acc *v1alpha1.SocialAccount) {
			for _, who := range []v1alpha1.PersonName{acc.Spec.Owner.Accountable, "next" + acc.Spec.Owner.Accountable[len("head"):]} {
				put(t, s, world.Person{Platform: world.YouTube, ID: string(who), Email: string(who), Organisation: "edu.example"})
			}
		},
		consents: func(live world.Account, p v1alpha1.PersonName) world.Choice {
			return world.Choice{Person: string(p), Account: live.ID}
		},
	}
	return []throng{
		{onX, func(w *world.World) http.Handler { return x.New(w, x.Options{}) }, each("head"), each("next")},
		{channels, func(w *world.World) http.Handler { return youtube.New(w, youtube.Options{}) }, each("head"), each("next")},
		{onSnapchat, func(w *world.World) http.Handler { return snapchat.New(w, snapchat.Options{}) }, everybody("leaver@edu.example"), everybody(successor)},
		{onFacebook, meta, everybody("leaver@edu.example"), everybody(successor)},
		{onInstagram, meta, everybody("leaver@edu.example"), everybody(successor)},
	}
}

// massAccounts is how many change hands: `make mass` asks for 1000.
func massAccounts(t *testing.T) int {
	text := os.Getenv("MASS")
	if text == "" {
		return 50
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 5 {
		t.Fatalf("MASS=%q is no number of accounts", text)
	}
	return n
}

// Many handovers at once, on all platforms under the limits that they publish: all are
// settled, no limit is exceeded, and no account is looked at too late meanwhile.
func TestManyHandoversAtOnceStayWithinTheLimits(t *testing.T) {
	t.Parallel()
	n := massAccounts(t) / 5
	for _, c := range throngs(n) {
		t.Run(string(c.on), func(t *testing.T) {
			t.Parallel()
			c.playAll(t, n)
		})
	}
}

// playAll gives n accounts their first credentials, and then changes all their hands.
func (c throng) playAll(t *testing.T, n int) {
	s := newCustodySceneOn(t, c.on, func(s *scene) { c.limits(t, s) }, c.apps)
	if c.second != nil {
		if err := s.world.PutApp(world.App{Platform: c.on, APIKey: "key-b", APISecret: "secret-b", AppToken: token + "-b"}); err != nil {
			t.Fatal(err)
		}
		s.secondApp(t, c.data(c.second))
	}
	lives, accounts := make([]world.Account, n), make([]*v1alpha1.SocialAccount, n)
	for i := range n {
		name := fmt.Sprintf("m%dx", i) // a handle ends with the scene's number
		lives[i] = s.live(name)
		s.put(t, lives[i])
		accounts[i] = s.account(name, func(a *v1alpha1.SocialAccount) {
			a.Spec.Owner.Accountable = c.leaves(i)
			a.Spec.Credentials = &v1alpha1.AccountCredentials{SecretRef: v1alpha1.LocalReference{Name: v1alpha1.ObjectName(a.Name)}}
		})
		c.before(t, s, lives[i], accounts[i])
	}
	s.declare(t, accounts...)
	people := &public{throng: c, scene: s, lives: map[string]world.Account{}, asked: map[string]string{}}
	for i, acc := range accounts {
		people.lives[acc.Name] = lives[i]
	}
	begun := time.Now()
	people.settlesAll(t, 1)
	first := people.report(t, "first credentials", begun, 0)

	for i, acc := range accounts {
		edit(t, acc, func(a *v1alpha1.SocialAccount) { a.Spec.Owner.Accountable = c.next(i) })
		acc.Spec.Owner.Accountable = c.next(i)
	}
	begun = time.Now()
	people.reach(t, func(is *v1alpha1.SocialAccount) string {
		// Whoever waits for its turn to unseat somebody is Unseating, and has no steps yet.
		if h := is.Status.Handover; h == nil || h.Phase != v1alpha1.PhaseUnseating || len(h.HumanSteps) == 0 {
			return fmt.Sprintf("%s: handover %s", is.Name, show(is.Status.Handover))
		}
		return ""
	})
	people.report(t, "new credentials", begun, first)
	if c.people != nil {
		c.people(t, s, lives[0])
	}
	for _, acc := range accounts {
		attest(t, acc)
	}
	people.settlesAll(t, 2)
	people.report(t, "handovers", begun, first)
	c.exceedsNothing(t, s)
}

// limits lets the platform keep the limits that it publishes, and looks as often as they
// allow.
func (c throng) limits(t *testing.T, s *scene) {
	s.simulator = httptest.NewServer(c.serve(s.world))
	t.Cleanup(s.simulator.Close)
	s.connection.Spec.Endpoint = s.simulator.URL
	for i := range s.policy.Spec.Tiers {
		s.policy.Spec.Tiers[i].Observation = &v1alpha1.ObservationIntervals{
			ProfileEvery: &metav1.Duration{Duration: massEvery}, StaleAfter: &metav1.Duration{Duration: 3 * massEvery},
		}
	}
}

// public are the people of a scene's accounts, at one browser: whoever is asked consents, one
// after the other, and again if they are asked again.
type public struct {
	throng
	*scene
	lives map[string]world.Account
	// asked is the address where each account's consent was last given, and given how many
	// were.
	asked map[string]string
	given int
}

// consentsTo does what an account asks of its people.
func (p *public) consentsTo(t *testing.T, acc *v1alpha1.SocialAccount) {
	t.Helper()
	h := acc.Status.Handover
	if p.consents == nil || h == nil || h.ConsentURL == "" || p.asked[acc.Name] == h.ConsentURL {
		return
	}
	p.asked[acc.Name] = h.ConsentURL
	p.given++
	p.throng.consent(t, p.scene, p.lives[acc.Name], acc)
}

// settlesAll waits until all are settled. Once all had their first credentials no account
// may be anything but observed.
func (p *public) settlesAll(t *testing.T, rotations int64) {
	t.Helper()
	var once sync.Once
	p.reach(t, func(is *v1alpha1.SocialAccount) string {
		if rotations > 1 && !meta.IsStatusConditionTrue(is.Status.Conditions, v1alpha1.ConditionObserved) {
			once.Do(func() {
				t.Errorf("%s is not observed meanwhile: %+v", is.Name, meta.FindStatusCondition(is.Status.Conditions, v1alpha1.ConditionObserved))
			})
		}
		held := is.Status.Credentials
		if held != nil && held.RotationsTotal != nil && *held.RotationsTotal == rotations && meta.IsStatusConditionTrue(is.Status.Conditions, v1alpha1.ConditionHandoverComplete) {
			return ""
		}
		return fmt.Sprintf("%s: handover %s, credentials %+v", is.Name, show(is.Status.Handover), held)
	})
}

// reach waits until nothing is amiss with any account, while people do what they are asked
// to, and gives up once nothing has happened to any of them for longer than a platform makes
// them wait. It looks less often at many, so that looking takes a small part of the API server.
func (p *public) reach(t *testing.T, ask func(*v1alpha1.SocialAccount) string) {
	t.Helper()
	every := time.Duration(p.accounts) * 5 * time.Millisecond
	last, changed, amiss := "", time.Now(), ""
	err := wait.PollUntilContextCancel(t.Context(), every, true, func(ctx context.Context) (bool, error) {
		var list v1alpha1.SocialAccountList
		if shared.operator.gone() {
			return false, errors.New("the operator ended")
		}
		if err := shared.admin.List(ctx, &list, client.InNamespace(p.name)); err != nil {
			return false, err
		}
		versions, missing := "", 0
		for i := range list.Items {
			versions += list.Items[i].ResourceVersion + " "
			p.consentsTo(t, &list.Items[i])
			if one := ask(&list.Items[i]); one != "" {
				amiss = one
				missing++
			}
		}
		if versions != last {
			last, changed = versions, time.Now()
		}
		if missing > 0 && time.Since(changed) > longestWait {
			return false, fmt.Errorf("%d of %d amiss", missing, len(list.Items))
		}
		return missing == 0, nil
	})
	if err != nil {
		t.Fatalf("%v, and nothing happens since %s; last: %s", err, changed.Format(time.TimeOnly), amiss)
	}
}

// report logs how long something took, and how often somebody had to consent again.
func (p *public) report(t *testing.T, what string, begun time.Time, before int) (given int) {
	t.Helper()
	t.Logf("%d %s: %.1f s, %d consents", p.accounts, what, time.Since(begun).Seconds(), p.given-before)
	return p.given
}

// exceedsNothing looks for requests beyond a limit, in the simulator's own count.
func (c throng) exceedsNothing(t *testing.T, s *scene) {
	t.Helper()
	ledger := s.world.Ledger()
	for _, b := range ledger.Budgets {
		if b.Exceeded > 0 {
			t.Errorf("%d requests beyond the limit of %s", b.Exceeded, b.Bucket)
		}
	}
	refused := 0
	for _, r := range ledger.Requests {
		if r.Status == http.StatusTooManyRequests {
			refused += r.Count
		}
	}
	if refused > 0 || len(ledger.Budgets) == 0 {
		t.Errorf("%d requests were refused, %d budgets were counted", refused, len(ledger.Budgets))
	}
}
