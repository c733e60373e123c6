package e2e

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// rotates gives a scene's policy the rules of a handover.
func rotates(s *scene) {
	s.policy.Spec.Credentials = &v1alpha1.CredentialRules{
		RotateOn: []v1alpha1.RotateOn{v1alpha1.RotateOnAccountableChanged}, Overlap: &metav1.Duration{Duration: time.Second},
	}
}

// withTwoApps gives a scene's connection a second app, so that revoking one grant
// cannot end another.
func withTwoApps(s *scene) {
	s.secret.Data = map[string][]byte{"appToken": []byte(token), "clientID": []byte("key"), "clientSecret": []byte("secret")}
	s.connection.Spec.AlternateAppSecretRef = &v1alpha1.LocalReference{Name: v1alpha1.ObjectName("x-" + s.name + "-b")}
}

func newCustodyScene(t *testing.T, change ...func(*scene)) *scene {
	t.Helper()
	s := newCustodySceneOn(t, world.X, append([]func(*scene){withTwoApps}, change...)...)
	if err := s.world.PutApp(world.App{Platform: world.X, APIKey: "key-b", APISecret: "secret-b", AppToken: token + "-b"}); err != nil {
		t.Fatal(err)
	}
	s.secondApp(t, map[string][]byte{"appToken": []byte(token + "-b"), "clientID": []byte("key-b"), "clientSecret": []byte("secret-b")})
	return s
}

// newCustodySceneOn makes a scene in which the operator may hold credentials.
func newCustodySceneOn(t *testing.T, on world.Platform, change ...func(*scene)) *scene {
	t.Helper()
	s := newSceneOn(t, on, append([]func(*scene){rotates}, change...)...)
	for _, o := range []client.Object{s.custodian(operatorNamespace), s.custodian(s.name)} {
		create(t, o)
		s.more = append(s.more, o)
	}
	return s
}

func (s *scene) secondApp(t *testing.T, data map[string][]byte) {
	t.Helper()
	second := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "x-" + s.name + "-b", Namespace: operatorNamespace}, Data: data}
	create(t, second)
	s.more = append(s.more, second)
}

// custodian lets the operator hold credentials, as docs/handover.md says.
func (s *scene) custodian(namespace string) client.Object {
	return &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "mithaq-custodian-" + s.name, Namespace: namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "mithaq-custodian"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: operatorNamespace, Name: operatorAccount}},
	}
}

// held declares an account with credentials.
func (s *scene) held(t *testing.T, name string, change ...func(*v1alpha1.SocialAccount)) *v1alpha1.SocialAccount {
	t.Helper()
	s.put(t, s.live(name))
	acc := s.account(name, append([]func(*v1alpha1.SocialAccount){func(a *v1alpha1.SocialAccount) {
		a.Spec.Credentials = &v1alpha1.AccountCredentials{SecretRef: v1alpha1.LocalReference{Name: v1alpha1.ObjectName(a.Name)}}
		a.Spec.DeletionPolicy = v1alpha1.DeletionRevokeAccess
	}}, change...)...)
	s.declare(t, acc)
	return acc
}

var authorizeLink = regexp.MustCompile(`href="([^"]+/(?:oauth2/authorize|o/oauth2/v2/auth|oauth/authorize|dialog/oauth)[^"]*)"`)

// way opens the page where the accountable person is asked to consent, and returns
// the link to the platform. The operator may just be starting again.
func way(t *testing.T, acc *v1alpha1.SocialAccount) (link string) {
	t.Helper()
	until(t, func(context.Context) (string, error) {
		h := read(t, acc).Status.Handover
		if h == nil || h.ConsentURL == "" {
			return "no consent URL", nil
		}
		page := get(t, h.ConsentURL)
		found := authorizeLink.FindStringSubmatch(page)
		if found == nil {
			return "no way to the platform on the page: " + page, nil
		}
		link = html.UnescapeString(found[1])
		return "", nil
	})
	return link
}

// consent does what the accountable person does: opens the page, goes to the
// platform, and is sent back.
func (s *scene) consent(t *testing.T, acc *v1alpha1.SocialAccount) {
	t.Helper()
	live, _ := s.world.AccountByHandle(world.X, acc.Spec.Handle)
	s.consentAs(t, acc, live.ID)
}

// consentAs consents as somebody, perhaps for another account.
func (s *scene) consentAs(t *testing.T, acc *v1alpha1.SocialAccount, person string) {
	t.Helper()
	s.consentBy(t, acc, world.Choice{Person: person})
}

// consentBy consents by a choice at the platform's dialog.
func (s *scene) consentBy(t *testing.T, acc *v1alpha1.SocialAccount, choice world.Choice) {
	t.Helper()
	link := way(t, acc)
	s.world.Choose(s.on, choice)
	page := get(t, link)
	if !strings.Contains(page, "Authorisation received") {
		t.Fatalf("the platform's answer was not taken:\n%s", page)
	}
}

// get is a page, or why there is none.
func get(t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

// settles waits until the account's handover is complete and its credential works.
func (s *scene) settles(t *testing.T, acc *v1alpha1.SocialAccount, rotations int64) *v1alpha1.SocialAccount {
	t.Helper()
	var is *v1alpha1.SocialAccount
	until(t, func(context.Context) (string, error) {
		is = read(t, acc)
		c := is.Status.Credentials
		settled := meta.IsStatusConditionTrue(is.Status.Conditions, v1alpha1.ConditionHandoverComplete)
		healthy := meta.IsStatusConditionTrue(is.Status.Conditions, v1alpha1.ConditionCredentialsHealthy)
		if settled && healthy && c != nil && *c.RotationsTotal == rotations && meta.IsStatusConditionTrue(is.Status.Conditions, v1alpha1.ConditionReady) {
			return "", nil
		}
		return fmt.Sprintf("%v, handover %+v, credentials %+v", is.Status.Conditions, is.Status.Handover, c), nil
	})
	return is
}

// attest gives a person's word on every step that is asked for.
func attest(t *testing.T, acc *v1alpha1.SocialAccount) {
	t.Helper()
	var steps []v1alpha1.HumanStep
	until(t, func(context.Context) (string, error) {
		h := read(t, acc).Status.Handover
		if h == nil || len(h.HumanSteps) == 0 {
			return fmt.Sprintf("no human steps: %+v", h), nil
		}
		steps = h.HumanSteps
		return "", nil
	})
	edit(t, acc, func(a *v1alpha1.SocialAccount) {
		for _, step := range steps {
			a.Spec.Attestations = append(a.Spec.Attestations, v1alpha1.Attestation{
				Control: step.Step, By: "auditor@edu.example", At: metav1.NewTime(time.Now().Add(time.Second).Truncate(time.Second)),
			})
		}
	})
}

// outbox is the published access token.
func (s *scene) outbox(t *testing.T, acc *v1alpha1.SocialAccount) string {
	t.Helper()
	var secret corev1.Secret
	if err := shared.admin.Get(t.Context(), client.ObjectKey{Namespace: acc.Namespace, Name: acc.Name}, &secret); err != nil {
		t.Fatal(err)
	}
	return string(secret.Data["accessToken"])
}

// alive counts the tokens of an account that work.
func (s *scene) alive(acc *v1alpha1.SocialAccount) int {
	live, _ := s.world.AccountByHandle(world.X, acc.Spec.Handle)
	return len(s.world.Tokens(world.X, world.TokenQuery{Person: live.ID, Alive: true}))
}

// A handover on a real API server, from the first consent to the proof that the
// former credential is dead, with a crash in between.
func TestAHandoverProvesThatTheFormerHolderIsOut(t *testing.T) {
	s := newCustodyScene(t)
	acc := s.held(t, "held")
	s.consent(t, acc)
	first := s.settles(t, acc, 1)
	before := s.outbox(t, acc)
	if got, ok := s.world.Token(world.X, before); !ok || !got.Alive(time.Now()) {
		t.Fatal("the outbox holds no token that works")
	}
	if len(first.Status.Custody) != 1 || first.Status.Custody[0].Accountable != acc.Spec.Owner.Accountable {
		t.Errorf("custody %+v", first.Status.Custody)
	}

	s.world.ResetHistory()
	edit(t, acc, func(a *v1alpha1.SocialAccount) { a.Spec.Owner.Accountable = "successor@edu.example" })
	until(t, func(context.Context) (string, error) {
		c := meta.FindStatusCondition(read(t, acc).Status.Conditions, v1alpha1.ConditionHandoverComplete)
		if c.Reason == v1alpha1.ReasonAwaitingHuman {
			return "", nil
		}
		return c.Reason, nil
	})
	shared.operator.restart(t, syscall.SIGKILL)
	s.consent(t, acc)
	attest(t, acc)
	last := s.settles(t, acc, 2)

	if got, _ := s.world.Token(world.X, before); got.Alive(time.Now()) {
		t.Error("settled, and the former access token works")
	}
	after := s.outbox(t, acc)
	if got, ok := s.world.Token(world.X, after); !ok || !got.Alive(time.Now()) || after == before {
		t.Error("the outbox does not hold the new token")
	}
	if n := s.alive(acc); n != 2 {
		t.Errorf("%d tokens of the account work, want the new pair", n)
	}
	mutating := slices.DeleteFunc(s.world.History().Calls, func(c world.Call) bool { return !c.Mutating || c.Effect == "authorize" || c.Effect == "" })
	if len(mutating) > 4 {
		t.Errorf("%d mutating calls: %+v", len(mutating), mutating)
	}
	custody := last.Status.Custody
	if len(custody) != 2 || custody[0].Until == nil || custody[1].Accountable != "successor@edu.example" || custody[1].Provenance != v1alpha1.ProvenanceAttested {
		t.Errorf("custody %+v", custody)
	}
	s.tellsNothing(t, before, after)

	if err := shared.admin.Delete(t.Context(), acc); err != nil {
		t.Fatal(err)
	}
	until(t, func(ctx context.Context) (string, error) {
		err := shared.admin.Get(ctx, client.ObjectKeyFromObject(acc), &v1alpha1.SocialAccount{})
		if apierrors.IsNotFound(err) {
			return "", nil
		}
		return "the account still exists", err
	})
	if n := s.alive(acc); n != 0 {
		t.Errorf("the account is gone, and %d of its tokens work", n)
	}
}

// tellsNothing looks for secrets where none may be.
func (s *scene) tellsNothing(t *testing.T, secrets ...string) {
	t.Helper()
	if lines := shared.operator.log.holding(secrets...); len(lines) > 0 {
		t.Errorf("the operator logs a token: %s", lines[0])
	}
	metrics, err := shared.operator.scrape(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var accounts v1alpha1.SocialAccountList
	if err := shared.admin.List(t.Context(), &accounts, client.InNamespace(s.name)); err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%s %+v", metrics, accounts)
	for _, secret := range secrets {
		if strings.Contains(shown, secret) {
			t.Error("a status or metric holds a token")
		}
	}
}

// A consent for another account is never promoted.
func TestAConsentForAnotherAccountIsRefused(t *testing.T) {
	s := newCustodyScene(t)
	stranger := s.live("stranger")
	s.put(t, stranger)
	acc := s.held(t, "mine")
	mine, _ := s.world.AccountByHandle(world.X, acc.Spec.Handle)
	edit(t, acc, func(a *v1alpha1.SocialAccount) { a.Spec.AccountID = mine.ID })
	s.consentAs(t, acc, stranger.ID)
	until(t, func(context.Context) (string, error) {
		is := read(t, acc)
		c := meta.FindStatusCondition(is.Status.Conditions, v1alpha1.ConditionHandoverComplete)
		if c != nil && c.Reason == v1alpha1.ReasonAwaitingHuman && is.Status.Handover != nil && is.Status.Handover.LastError != "" {
			return "", nil
		}
		return fmt.Sprintf("%+v", is.Status.Handover), nil
	})
	if n := len(s.world.Tokens(world.X, world.TokenQuery{Person: stranger.ID, Alive: true})); n != 0 {
		t.Errorf("%d tokens of the other account are kept", n)
	}
	s.consent(t, acc)
	s.settles(t, acc, 1)
}

// An account that waits for its connection goes on as soon as that opens: long before
// it would ask again.
func TestTheOpeningOfAConnectionWakesWhoWaits(t *testing.T) {
	t.Parallel()
	s := newCustodyScene(t, without(func(s *scene) client.Object { return s.connection }))
	acc := s.held(t, "waiting")
	live, _ := s.world.AccountByHandle(world.X, acc.Spec.Handle)
	edit(t, acc, func(a *v1alpha1.SocialAccount) { a.Spec.AccountID = live.ID })
	until(t, func(context.Context) (string, error) {
		c := meta.FindStatusCondition(read(t, acc).Status.Conditions, v1alpha1.ConditionCredentialsHealthy)
		if c == nil || c.Status != metav1.ConditionUnknown || !strings.Contains(c.Message, "onnection") {
			return fmt.Sprintf("%+v", c), nil
		}
		return "", nil
	})
	s.connection.Name = "x-" + s.name
	create(t, s.connection)
	began := time.Now()
	s.consent(t, acc)
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("consent was asked for %s after the connection opened", took)
	}
	s.settles(t, acc, 1)
}
