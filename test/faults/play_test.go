package faults

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/controllers/handover"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/internal/consent"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/rotation"
)

func itoa(n int) string { return strconv.Itoa(n) }

// where a fault strikes.
type where string

const (
	nowhere   where = ""
	atAPI     where = "write"
	atRead    where = "read"
	atCall    where = "call"
	atConsent where = "consent"
)

// plan is one run: a platform, what happens to the account, and one fault.
type plan struct {
	site     *site
	scenario scenario
	where    where
	// nth counts from 1, from the trigger on.
	nth   int
	fault fault
	// serial makes names and ids of its own.
	serial  int
	mistake *mistake
}

// String is the seed that replays the plan.
func (p plan) String() string {
	return fmt.Sprintf("%s/%s/%s/%d/%s", p.site.name, p.scenario.name, p.where, p.nth, p.fault)
}

// play plays one plan.
type play struct {
	plan
	c      *cluster
	ctx    context.Context
	clock  *clocktesting.FakeClock
	world  *world.World
	server *httptest.Server
	at     place
	acc    *v1alpha1.SocialAccount
	desk   *consent.Desk
	r      *handover.Reconciler

	armed         bool
	struck        bool
	writes, calls int
	reads         int
	resting       bool // it is over: what is read is no part of it
	consents      int
	effects       []string // what each write, call and consent was, since the trigger
	sends         []send
	raw           map[string]string // tokens by the world's fingerprint
	codes         []string
	violations    []string
	began         time.Time // of the rotation under the plan's eye
	lagSince      time.Time
	base          int64 // rotations before it
	troubled      int   // reconciles in a row that failed after the fault
	struckAt      string
	afterIssue    bool
	texts         []string // events and errors
	mutating      int
	previous      *rotation.Vault
	deaf          bool
	more          []func() // to be done at the end
	refreshes     map[string]int
	doing         string // what the call under way is
	events        int    // told since the trigger
	overlapping   int
}

// violated notes that an invariant does not hold.
func (p *play) violated(format string, args ...any) {
	p.violations = append(p.violations, fmt.Sprintf(format, args...))
}

func newPlay(ctx context.Context, c *cluster, pl plan) (*play, error) {
	p := &play{plan: pl, c: c, ctx: ctx, raw: map[string]string{}, refreshes: map[string]int{}}
	p.clock = clocktesting.NewFakeClock(time.Now().Truncate(time.Second))
	p.world = world.New(p.clock)
	p.world.MarkSecrets(mark)
	p.world.RecordReads(true)
	p.server = httptest.NewServer(pl.site.serve(p.world))
	p.at = pl.site.place(pl.serial)
	if err := pl.site.furnish(p.world, p.at); err != nil {
		p.server.Close()
		return nil, fmt.Errorf("furnishing %s: %w", pl.site.name, err)
	}
	p.acc = &v1alpha1.SocialAccount{
		ObjectMeta: metav1.ObjectMeta{Namespace: accounts, Name: "a-" + itoa(pl.serial)},
		Spec: v1alpha1.SocialAccountSpec{
			Platform: v1alpha1.PlatformName(pl.site.on), Handle: p.at.handle, AccountID: p.at.id, Tier: "school", Language: "ar",
			Owner: v1alpha1.Owner{Unit: "riyadh", Accountable: former},
			Team: []v1alpha1.TeamMember{
				{Person: leaver, Roles: []v1alpha1.Role{v1alpha1.RolePublisher}}, {Person: stays, Roles: []v1alpha1.Role{v1alpha1.RoleManager}},
			},
			ConnectionRef:  &v1alpha1.LocalReference{Name: v1alpha1.ObjectName(connectionOf(v1alpha1.PlatformName(pl.site.on)))},
			Credentials:    &v1alpha1.AccountCredentials{SecretRef: v1alpha1.LocalReference{Name: v1alpha1.ObjectName("a-" + itoa(pl.serial))}},
			DeletionPolicy: v1alpha1.DeletionRevokeAccess,
		},
	}
	if err := c.admin.Create(ctx, p.acc); err != nil {
		p.server.Close()
		return nil, fmt.Errorf("declaring the account: %w", err)
	}
	p.start()
	return p, nil
}

// close takes the plan's objects away.
func (p *play) close() error {
	p.server.Close()
	for _, f := range p.more {
		f()
	}
	var gone error
	if err := p.c.admin.Patch(p.ctx, p.acc, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`))); !apierrors.IsNotFound(err) {
		gone = err
	}
	gone = errors.Join(gone, client.IgnoreNotFound(p.c.admin.Delete(p.ctx, p.acc)))
	for _, o := range []client.Object{
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: vaults, Name: vaultName(p.acc.UID)}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: accounts, Name: p.acc.Name}},
	} {
		gone = errors.Join(gone, client.IgnoreNotFound(p.c.admin.Delete(p.ctx, o)))
	}
	p.c.history.forget(p.acc.Name)
	return gone
}

// forget drops what only the plan needed: thousands of plans are played beside each other
// and one after another, and of each only what was found is kept.
func (p *play) forget() {
	p.world, p.server, p.desk, p.r, p.acc, p.previous = nil, nil, nil, nil, nil, nil
	p.sends, p.raw, p.codes, p.texts, p.refreshes, p.more = nil, nil, nil, nil, nil, nil
	if p.where != nowhere && p.mistake == nil && os.Getenv("SEED") == "" {
		p.effects = nil
	}
}

// start begins a process: nothing of an earlier one is left.
func (p *play) start() {
	p.desk = consent.NewDesk(consentBase)
	through, err := p.c.client(&apiGate{next: p.c.quiet, p: p})
	if err != nil {
		panic(err) // the mapper is shared: nothing is asked
	}
	apps := map[rotation.App]custody.App{}
	for _, which := range []rotation.App{rotation.Primary, rotation.Alternate} {
		if which == rotation.Alternate && (p.site.oneApp || p.scenario.oneApp) {
			continue
		}
		apps[which] = p.open(which)
	}
	known := custody.NewApps()
	known.Set(connectionOf(v1alpha1.PlatformName(p.site.on)), apps)
	cfg := handover.Config{
		Client: through, Secrets: through, Keeper: &custody.Keeper{Client: through, Namespace: vaults}, Apps: known, Guard: &custody.Guard{},
		Consents: p.desk, Editions: p.c.editions, Recorder: p, Clock: p.clock, Perform: p.perform,
		Random: func() platform.Token { return mark + custody.Random()[len(mark):] }, Told: p.c.meter, Workers: 1,
	}
	if p.mistake != nil && p.armed {
		p.mistake.wire(p, &cfg)
	}
	p.r = handover.New(cfg)
}

const consentBase = "http://127.0.0.1:1"

// open opens one of the two apps with clients of its own.
func (p *play) open(which rotation.App) custody.App { return p.openAt(which, p.server.URL) }

func (p *play) openAt(which rotation.App, endpoint string) custody.App {
	a := p.site.adapter
	cfg := platform.Config{
		Endpoint: endpoint, Hosts: a.HostsAt(endpoint), App: p.site.secret(which), Usage: func(platform.Usage) {}, Now: p.clock.Now,
		HTTP: platform.NewHTTPClient(platform.TransportConfig{Endpoint: endpoint}),
	}
	cfg.HTTP.Transport = &platformGate{next: cfg.HTTP.Transport, p: p}
	opened, err := a.Open(cfg)
	if err != nil {
		panic(fmt.Sprintf("opening %s: %v", p.site.name, err)) // the sweep's own app Secret
	}
	return custody.App{Adapter: a, Client: opened}
}

// Eventf implements events.EventRecorder: what is told is kept for the search after
// canaries.
func (p *play) Eventf(_, _ runtime.Object, _, reason, action, note string, args ...any) {
	if p.armed {
		p.events++
	}
	p.texts = append(p.texts, fmt.Sprintf(reason+" "+action+" "+note, args...))
}

// reconcile lets the process work once; crashed: it died of it.
func (p *play) reconcile() (result ctrl.Result, crashed bool, err error) {
	done, ended := make(chan struct{}), false
	go func() {
		defer close(done)
		result, err = p.r.Reconcile(p.ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(p.acc)})
		ended = true
	}()
	<-done
	if err != nil {
		p.texts = append(p.texts, err.Error())
	}
	return result, !ended, err
}

// load reads the account and its vault as they are stored; nil: there is none.
func (p *play) load() (*v1alpha1.SocialAccount, *rotation.Vault, []client.Object, error) {
	acc := &v1alpha1.SocialAccount{}
	if err := p.c.admin.Get(p.ctx, client.ObjectKeyFromObject(p.acc), acc); apierrors.IsNotFound(err) {
		acc = nil
	} else if err != nil {
		return nil, nil, nil, err
	}
	v, secret, err := p.vault()
	if err != nil {
		return nil, nil, nil, err
	}
	var objects []client.Object
	if acc != nil {
		objects = append(objects, acc)
	}
	if secret != nil {
		objects = append(objects, secret)
	}
	return acc, v, objects, nil
}

func (p *play) vault() (*rotation.Vault, *corev1.Secret, error) {
	secret := &corev1.Secret{}
	err := p.c.admin.Get(p.ctx, client.ObjectKey{Namespace: vaults, Name: vaultName(p.acc.UID)}, secret)
	if apierrors.IsNotFound(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	v, err := rotation.Decode(string(p.acc.UID), secret.Data, p.c.key)
	return v, secret, err
}

// most bounds the reconciles of a run.
const most = 160

// run lets the process work until over says so, acting as people do, and restarting
// it when it dies.
func (p *play) run(over func(*v1alpha1.SocialAccount, *rotation.Vault) bool) error {
	pace := time.Duration(0)
	for range most {
		acc, v, _, err := p.load()
		if err != nil {
			return err
		}
		p.checkLag(acc, v)
		if over(acc, v) || p.mistake != nil && len(p.violations) > 0 {
			return nil
		}
		acted, err := p.act(acc, v)
		if err != nil {
			return err
		}
		if !acted && pace > 0 {
			p.clock.Step(p.pace(pace))
		}
		result, crashed, failed := p.reconcile()
		switch {
		case crashed:
			p.start()
			pace = 0
		case failed != nil:
			if p.troubled++; p.troubled == 11 {
				p.violated("I9: 10 reconciles in a row failed after the fault: %v", failed)
			}
			pace = time.Second << min(p.troubled, 5)
		default:
			p.troubled, pace = 0, cmp.Or(result.RequeueAfter, time.Hour) // people take their time
		}
	}
	_, v, _, err := p.load()
	if err != nil {
		return err
	}
	p.violated("I9: no rest after %d reconciles: %s", most, stand(v))
	return nil
}

// pace is how far the clock goes on: people take their time, and the clock stands on
// whole seconds as the API's times do.
func (p *play) pace(asked time.Duration) time.Duration {
	if p.armed && p.consents == 0 && p.clock.Since(p.began) < p.scenario.delay {
		asked = max(asked, 10*time.Minute)
	}
	if p.armed && p.scenario.slow > 0 {
		asked = max(asked, 20*time.Minute)
	}
	return (asked + time.Second - 1).Truncate(time.Second)
}

func stand(v *rotation.Vault) string {
	if v == nil {
		return "no vault"
	}
	j := &v.Journal
	return fmt.Sprintf("phase %q, failed %q, health %q, op %+v, ops %v, tries %d, unproven %v, steps %+v", j.Phase, j.Failed, j.Health, j.Op, j.Ops, j.Tries, j.Unproven, j.HumanSteps)
}

// act lets people do what the status asks of them; acted: something wakes the operator.
func (p *play) act(acc *v1alpha1.SocialAccount, v *rotation.Vault) (acted bool, err error) {
	if acc == nil || acc.DeletionTimestamp != nil {
		return false, nil
	}
	if p.armed && p.scenario.amid != "" && v != nil && v.Journal.Phase == p.scenario.amid {
		return true, p.c.admin.Delete(p.ctx, p.acc)
	}
	h := acc.Status.Handover
	if h == nil {
		return false, nil
	}
	if h.ConsentURL != "" && !(p.armed && (p.clock.Since(p.began) < p.scenario.delay || p.scenario.never)) {
		return p.consent(h)
	}
	if p.armed && p.clock.Since(h.Since.Time) < p.scenario.slow {
		return false, nil
	}
	return p.attest(acc, h)
}

// attest gives people's word on the steps that are open.
func (p *play) attest(acc *v1alpha1.SocialAccount, h *v1alpha1.Handover) (bool, error) {
	var words []v1alpha1.Attestation
	for _, s := range h.HumanSteps {
		if s.State == v1alpha1.HumanStepOpen {
			words = append(words, v1alpha1.Attestation{Control: s.Step, By: "auditor@edu.example", At: metav1.NewTime(p.clock.Now().Add(time.Second))})
		}
	}
	if len(words) == 0 || slices.ContainsFunc(acc.Spec.Attestations, func(a v1alpha1.Attestation) bool { return a.Control == words[0].Control && !a.At.Before(&h.Since) }) {
		return false, nil
	}
	if err := p.dutiful(slices.ContainsFunc(words, func(w v1alpha1.Attestation) bool { return w.Control == "remove-from-account" })); err != nil {
		return false, err
	}
	p.clock.Step(2 * time.Second)
	return true, p.edit(func(a *v1alpha1.SocialAccount) { a.Spec.Attestations = words })
}

// dutiful does what people are asked for: those who left are removed, and the former
// app where only people can.
func (p *play) dutiful(asked bool) error {
	if p.site.out != nil && asked {
		for _, who := range p.scenario.leaves {
			if err := p.site.out(p.world, p.at, who); err != nil && !errors.Is(err, world.ErrNotFound) {
				return err
			}
		}
	}
	_, v, _, err := p.load()
	if err != nil || !p.site.removeApp || v == nil || v.Retiring == nil {
		return err
	}
	_, err = p.world.EndGrants(p.site.issuer(), world.TokenQuery{Client: clientID(v.Retiring.Client)}, world.CauseAppRemoved)
	return err
}

func (p *play) edit(change func(*v1alpha1.SocialAccount)) error {
	acc := &v1alpha1.SocialAccount{}
	if err := p.c.admin.Get(p.ctx, client.ObjectKeyFromObject(p.acc), acc); err != nil {
		return err
	}
	before := acc.DeepCopy()
	change(acc)
	return p.c.admin.Patch(p.ctx, acc, client.MergeFrom(before))
}

var link = regexp.MustCompile(`href="(http[^"]+(?:authorize|auth|oauth)[^"]*)"`)

// consent does what the accountable person does in the browser. A page that is gone is
// asked for again at the next turn.
func (p *play) consent(h *v1alpha1.Handover) (bool, error) {
	page := p.browse(h.ConsentURL)
	found := link.FindStringSubmatch(page.Body.String())
	if found == nil {
		return false, nil
	}
	who, f := string(h.To), none
	if p.armed {
		p.consents++
		p.effects = append(p.effects, "consent")
		if p.where == atConsent && p.nth == p.consents {
			f, p.struck = p.fault, true
		}
	}
	if f == wrongHolder {
		who = stranger
	}
	choice := p.site.choice(p.at, who)
	if f == fewerScopes {
		choice.Scopes = fewer(html.UnescapeString(found[1]))
	}
	p.world.Choose(p.site.issuer(), choice)
	request, err := http.NewRequestWithContext(p.ctx, http.MethodGet, html.UnescapeString(found[1]), http.NoBody)
	if err != nil {
		return false, err
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return false, err
	}
	back := answer.Header.Get("Location")
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusFound {
		return false, fmt.Errorf("the platform's dialog answered %d (%w)", answer.StatusCode, err)
	}
	if u, err := url.Parse(back); err == nil && u.Query().Get("code") != "" {
		p.codes = append(p.codes, u.Query().Get("code"))
	}
	if got := p.browse(back); got.Code != http.StatusOK {
		return false, fmt.Errorf("the callback answered %d to a consent", got.Code)
	}
	return true, nil
}

// fewer are all scopes of an address but the last.
func fewer(address string) []string {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	scopes := regexp.MustCompile(`[ ,]+`).Split(u.Query().Get("scope"), -1)
	return scopes[:max(len(scopes)-1, 1)]
}

// browse opens a page of the consent service.
func (p *play) browse(address string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.desk.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, http.NoBody))
	return w
}
