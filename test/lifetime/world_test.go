// Package lifetime shows what becomes of credentials over weeks: renewal, the forecast
// of their end, the limit of age, and deletions that are kept waiting. The reconciler,
// the adapter and the simulator are the real ones; only the clock is stepped, from one
// moment at which the reconciler asked to be woken to the next.
package lifetime

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/controllers/handover"
	simx "mithaq.dev/mithaq/hack/platformsim/x"

	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/edition"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/x"
	"mithaq.dev/mithaq/internal/rotation"
)

const (
	operator = "mithaq-system"
	tenant   = "edu"
	through  = "x-moe"
)

var began = time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)

// life is one account on X over time.
type life struct {
	t       *testing.T
	clock   *clocktesting.FakeClock
	world   *world.World
	client  client.Client
	keeper  *custody.Keeper
	desk    *desk
	r       *handover.Reconciler
	key     client.ObjectKey
	account string
	events  []string
	// unrevoked counts what the metric would.
	unrevoked int
	// each is called after every pass.
	each func(*v1alpha1.SocialAccount)
}

// desk holds one offer, and the code that came back for it.
type desk struct {
	offer       *custody.Offer
	nonce, code platform.Token
}

func (*desk) URL(uid string, _ platform.Token) string {
	return "https://mithaq.edu.example/consent/" + uid
}
func (*desk) RedirectURI() string     { return "https://mithaq.edu.example/oauth/callback" }
func (d *desk) Offer(o custody.Offer) { d.offer = &o }
func (d *desk) Withdraw(string)       { *d = desk{} }
func (d *desk) Code(string) (nonce, code platform.Token, ok bool) {
	return d.nonce, d.code, d.code != ""
}

// Step implements handover.Meter.
func (*life) Step(v1alpha1.PlatformName, string) {}

// Unrevoked implements handover.Meter.
func (l *life) Unrevoked(_ v1alpha1.PlatformName, grants int) { l.unrevoked += grants }

// Eventf implements events.EventRecorder.
func (l *life) Eventf(regarding, _ runtime.Object, _, reason, _, note string, args ...any) {
	kind := fmt.Sprintf("%T", regarding)
	if _, about := regarding.(*v1alpha1.SocialAccount); about {
		kind = ""
	}
	l.events = append(l.events, l.clock.Now().Format(time.RFC3339)+" "+reason+kind)
	if text := fmt.Sprintf(note, args...); text == "" {
		l.t.Errorf("event %s has no note", reason)
	}
}

// newLife declares an account with credentials, found on the platform.
func newLife(t *testing.T, change ...func(*v1alpha1.SocialAccount)) *life {
	t.Helper()
	l := &life{t: t, clock: clocktesting.NewFakeClock(began), desk: &desk{}, key: client.ObjectKey{Namespace: tenant, Name: "riyadh"}, account: "42"}
	l.world = world.New(l.clock)
	server := httptest.NewServer(simx.New(l.world, simx.Options{Limit: 1_000_000}))
	t.Cleanup(server.Close)
	fleet := world.Fleet{Accounts: []world.Account{{Platform: world.X, ID: l.account, Handle: "edu_riyadh", DisplayName: "Riyadh"}}}
	apps := map[rotation.App]custody.App{}
	for _, which := range []rotation.App{rotation.Primary, rotation.Alternate} {
		key := "key-" + string(which)
		fleet.Apps = append(fleet.Apps, world.App{Platform: world.X, APIKey: key, APISecret: "secret", AppToken: "bearer-" + key})
		apps[which] = l.app(server.URL, key)
	}
	if err := l.world.Load(fleet); err != nil {
		t.Fatal(err)
	}
	known := custody.NewApps()
	known.Set(through, apps)

	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	acc := &v1alpha1.SocialAccount{
		ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: "riyadh", UID: "uid-1", Generation: 1},
		Spec: v1alpha1.SocialAccountSpec{
			Platform: v1alpha1.PlatformX, Handle: "edu_riyadh", AccountID: l.account,
			Owner:       v1alpha1.Owner{Unit: "riyadh", Accountable: "a@edu.example"},
			Credentials: &v1alpha1.AccountCredentials{SecretRef: v1alpha1.LocalReference{Name: "riyadh"}}, DeletionPolicy: v1alpha1.DeletionRevokeAccess,
		},
	}
	for _, c := range change {
		c(acc)
	}
	yes := true
	l.client = fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&v1alpha1.SocialAccount{}).WithObjects(
		acc, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: tenant}},
		&v1alpha1.PlatformConnection{
			ObjectMeta: metav1.ObjectMeta{Name: through}, Spec: v1alpha1.PlatformConnectionSpec{Platform: v1alpha1.PlatformX, Default: &yes},
		},
	).Build()
	l.keeper = &custody.Keeper{Client: l.client, Namespace: operator}
	l.r = handover.New(handover.Config{
		Client: l.client, Secrets: l.client, Keeper: l.keeper, Apps: known, Consents: l.desk,
		Editions: edition.NewStore(operator, l.client, l.client), Recorder: l, Clock: l.clock,
		Perform: custody.Perform, Random: custody.Random, Told: l,
	})
	return l
}

func (l *life) app(endpoint, key string) custody.App {
	adapter := x.Adapter()
	opened, err := adapter.Open(platform.Config{
		Endpoint: endpoint, Hosts: adapter.HostsAt(endpoint), HTTP: platform.NewHTTPClient(platform.TransportConfig{Endpoint: endpoint}), Now: l.clock.Now,
		Usage: func(platform.Usage) {}, App: platform.Secret{
			"appToken": []byte("bearer-" + key), platform.KeyClientID: []byte(key), platform.KeyClientSecret: []byte("secret"),
		},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return custody.App{Adapter: adapter, Client: opened}
}

func (l *life) read() *v1alpha1.SocialAccount {
	l.t.Helper()
	acc := &v1alpha1.SocialAccount{}
	if err := l.client.Get(l.t.Context(), l.key, acc); err != nil {
		l.t.Fatal(err)
	}
	return acc
}

func (l *life) vault() *rotation.Vault {
	l.t.Helper()
	stored, err := l.keeper.Load(l.t.Context(), types.UID("uid-1"))
	if err != nil {
		l.t.Fatal(err)
	}
	return stored.Vault
}

// pass reconciles once, and returns when it asks to be woken.
func (l *life) pass() ctrl.Result {
	l.t.Helper()
	result, err := l.r.Reconcile(l.t.Context(), ctrl.Request{NamespacedName: l.key})
	if err != nil {
		l.t.Fatalf("at %s: %v", l.clock.Now(), err)
	}
	if l.each != nil {
		l.each(l.read())
	}
	return result
}

// pass by pass the clock goes on to where the reconciler asks to be woken, until then.
func (l *life) until(end time.Time) {
	l.t.Helper()
	const most = 20_000
	for range most {
		wake := l.pass().RequeueAfter
		next := l.clock.Now().Add(max(wake, time.Millisecond))
		if wake <= 0 || next.After(end) {
			if wake <= 0 && l.clock.Now().Before(end) {
				l.clock.SetTime(end)
				l.pass()
			}
			l.clock.SetTime(end)
			return
		}
		l.clock.SetTime(next)
	}
	l.t.Fatalf("%d passes, and it is %s", most, l.clock.Now())
}

// settle waits until a credential is in use and no rotation runs.
func (l *life) settle(rotations int64) {
	l.t.Helper()
	for range 50 {
		acc := l.read()
		held := acc.Status.Credentials
		if held != nil && *held.RotationsTotal == rotations && meta.IsStatusConditionTrue(acc.Status.Conditions, v1alpha1.ConditionHandoverComplete) {
			return
		}
		l.clock.SetTime(l.clock.Now().Add(max(l.pass().RequeueAfter, time.Millisecond)))
	}
	l.t.Fatalf("not settled at %s: %+v, %v", l.clock.Now(), l.read().Status.Handover, l.read().Status.Conditions)
}

// consent does what the person does at the platform.
func (l *life) consent() {
	l.t.Helper()
	if l.desk.offer == nil {
		l.t.Fatalf("nobody is asked: %+v", l.read().Status)
	}
	l.world.Choose(world.X, world.Choice{Person: l.account})
	request, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, l.desk.offer.Authorize, http.NoBody)
	if err != nil {
		l.t.Fatal(err)
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := browser.Do(request)
	if err != nil {
		l.t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		l.t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		l.t.Fatal(err)
	}
	back, err := answer.Location()
	if err != nil {
		l.t.Fatal(err)
	}
	l.desk.nonce, l.desk.code = l.desk.offer.Nonce, platform.Token(back.Query().Get("code"))
}

// first gets the first credential.
func (l *life) first() {
	l.t.Helper()
	l.pass()
	l.consent()
	l.settle(1)
}

func (l *life) condition(of string) metav1.Condition {
	l.t.Helper()
	c := meta.FindStatusCondition(l.read().Status.Conditions, of)
	if c == nil {
		l.t.Fatalf("no condition %s", of)
	}
	return *c
}

// told are the moments of an event.
func (l *life) told(reason string) []time.Time {
	l.t.Helper()
	var out []time.Time
	for _, e := range l.events {
		var stamp, what string
		if _, err := fmt.Sscan(e, &stamp, &what); err != nil {
			l.t.Fatal(err)
		}
		if what != reason {
			continue
		}
		at, err := time.Parse(time.RFC3339, stamp)
		if err != nil {
			l.t.Fatal(err)
		}
		out = append(out, at)
	}
	return out
}
