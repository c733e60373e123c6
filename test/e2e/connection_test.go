package e2e

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// unlooked is an account that nobody has been able to look at.
func unlooked(state, extra string) verdict {
	return good(seenAs(state), identityUnknown, func(v *verdict) { v.compliant, v.extra = "Unknown/AwaitingObservation", extra })
}

func TestAMissingConnectionIsNamedAndHealsWhenItAppears(t *testing.T) {
	t.Parallel()
	s := newScene(t, without(func(s *scene) client.Object { return s.connection }))
	accounts := s.healthy(t, "fine", "other")
	v := unlooked("Unknown/AwaitingObservation", "Stalled=ConnectionMissing ")
	v.compliant = "Unknown/EvidenceMissing"
	s.expect(t, all(v, accounts))
	condition(t, accounts[0], ofAccount, "Stalled", "True/ConnectionMissing", "spec.connectionRef: PlatformConnection x-"+s.name+" does not exist")

	s.connection.Name = "x-" + s.name
	create(t, s.connection)
	s.expect(t, all(good(), accounts))
	for _, acc := range accounts {
		expectEvents(t, acc)
	}

	// Gone again: what was seen last stays judged, and it heals as before.
	before := remainder(t, accounts[0])
	remove(t, s.connection)
	s.expect(t, all(good(seenAs("Unknown/AwaitingObservation"), func(v *verdict) { v.extra = "Stalled=ConnectionMissing " }), accounts))
	if during := remainder(t, accounts[0]); without2(during) != without2(before) {
		t.Errorf("before %s\nduring %s", before, during)
	}
	s.noCircles(t)
	s.connection.ResourceVersion, s.connection.UID = "", ""
	create(t, s.connection)
	s.expect(t, all(good(), accounts))
	for _, acc := range accounts {
		expectEvents(t, acc)
	}
}

var stalled = regexp.MustCompile(`(?s)\{\s*"type": "Stalled".*?\},?\s*`)

// without2 is a status without the condition that says what is in the way.
func without2(status string) string {
	return regexp.MustCompile(`\s|,`).ReplaceAllString(stalled.ReplaceAllString(status, ""), "")
}

func TestTheAppSecretIsNamedAndHealsWhenItIsMended(t *testing.T) {
	t.Parallel()
	s := newScene(t, without(func(s *scene) client.Object { return s.secret }))
	accounts := s.healthy(t, "fine", "other")
	path := "/api/v1/namespaces/" + operatorNamespace + "/secrets/x-" + s.name
	key := "Secret " + operatorNamespace + "/x-" + s.name

	condition(t, s.connection, ofConnection, "Ready", "False/AppSecretMissing", "spec.appSecretRef", key, "does not exist")
	condition(t, s.connection, ofConnection, "Stalled", "True/AppSecretMissing")
	condition(t, s.connection, ofConnection, "Available", "False/AppUnauthorized", key)
	s.expect(t, all(unlooked("Unknown/Unauthorized", ""), accounts))
	condition(t, accounts[0], ofAccount, "Observed", "Unknown/Unauthorized", "PlatformConnection x-"+s.name, key)
	s.noCircles(t)
	if n := shared.proxy.requests("GET", path); n > 10 {
		t.Errorf("the operator asked %d times for a Secret that is not there", n)
	}

	s.secret.Name = "x-" + s.name
	s.secret.Data = map[string][]byte{"apptoken": []byte(token)}
	create(t, s.secret)
	condition(t, s.connection, ofConnection, "Ready", "False/AppSecretMalformed", key, "lacks appToken")
	condition(t, s.connection, ofConnection, "Stalled", "True/AppSecretMalformed")
	s.noCircles(t)

	const wrong = "a-wrong-bearer"
	edit(t, s.secret, func(o *corev1.Secret) { o.Data = map[string][]byte{"appToken": []byte(wrong)} })
	condition(t, s.connection, ofConnection, "Ready", "False/AppUnauthorized", "X refuses the app credentials of PlatformConnection x-"+s.name)
	condition(t, s.connection, ofConnection, "Stalled", "absent")
	s.expect(t, all(unlooked("Unknown/Unauthorized", ""), accounts))

	edit(t, s.secret, func(o *corev1.Secret) { o.Data = map[string][]byte{"appToken": []byte(token)} })
	condition(t, s.connection, ofConnection, "Ready", "True/Reconciled")
	s.expect(t, all(good(), accounts))
	for _, acc := range accounts {
		expectEvents(t, acc)
	}
	// A token that the platform ends is told as what it is, and nobody is missing.
	before := remainder(t, accounts[0])
	if err := s.world.RevokeToken(world.X, "key", "another-bearer"); err != nil {
		t.Fatal(err)
	}
	s.expect(t, all(good(seenAs("Unknown/Unauthorized")), accounts))
	if during := remainder(t, accounts[0]); during != before {
		t.Errorf("before %s\nduring %s", before, during)
	}
	edit(t, s.secret, func(o *corev1.Secret) { o.Data = map[string][]byte{"appToken": []byte("another-bearer")} })
	s.expect(t, all(good(), accounts))
	for _, line := range shared.operator.log.holding(token, wrong, "another-bearer") {
		t.Errorf("the log holds a token: %s", line)
	}
}

func TestAnEndpointThatNobodyAllowedIsNamed(t *testing.T) {
	t.Parallel()
	s := newScene(t, func(s *scene) { s.connection.Spec.Endpoint = "https://evil.test" })
	accounts := s.healthy(t, "fine")
	condition(t, s.connection, ofConnection, "Ready", "False/EndpointNotAllowed", "host evil.test is not named by the operator's flag --allowed-hosts")
	condition(t, s.connection, ofConnection, "Stalled", "True/EndpointNotAllowed")
	s.expect(t, all(unlooked("Unknown/Unauthorized", ""), accounts))
	s.noCircles(t)
	edit(t, s.connection, func(c *v1alpha1.PlatformConnection) { c.Spec.Endpoint = s.simulator.URL })
	s.expect(t, all(good(), accounts))
	condition(t, s.connection, ofConnection, "Stalled", "absent")
	condition(t, s.connection, ofConnection, "Ready", "True/Reconciled")
}

func TestTwoDefaultsAreNone(t *testing.T) {
	t.Parallel()
	s := newScene(t, func(s *scene) { s.connection.Spec.Default = yes() })
	s.put(t, s.live("fine"))
	byDefault := s.account("fine", func(a *v1alpha1.SocialAccount) { a.Spec.ConnectionRef = nil })
	s.declare(t, byDefault)
	s.expect(t, map[string]verdict{"fine": good()})

	second := s.connection.DeepCopy()
	second.ObjectMeta = metav1.ObjectMeta{Name: "x-second-" + s.name}
	create(t, second)
	t.Cleanup(func() {
		if err := shared.admin.Delete(context.Background(), second); client.IgnoreNotFound(err) != nil {
			t.Error(err)
		}
	})
	condition(t, s.connection, ofConnection, "Ready", "False/DuplicateDefault", "PlatformConnection x-second-"+s.name+" is marked default too")
	condition(t, second, ofConnection, "Stalled", "True/DuplicateDefault", "PlatformConnection x-"+s.name+" is marked default too")
	s.expect(t, map[string]verdict{"fine": good(seenAs("Unknown/AwaitingObservation"), func(v *verdict) { v.extra = "Stalled=ConnectionMissing " })})
	condition(t, byDefault, ofAccount, "Stalled", "True/ConnectionMissing", "2 PlatformConnections of platform X are marked default")
	s.noCircles(t)

	remove(t, second)
	s.expect(t, map[string]verdict{"fine": good()})
	condition(t, s.connection, ofConnection, "Ready", "True/Reconciled")
	expectEvents(t, byDefault)
}

func TestASecretOfAnotherPlatformSaysSo(t *testing.T) {
	t.Parallel()
	s := newScene(t, func(s *scene) { s.connection.Spec.Platform, s.connection.Spec.Endpoint = v1alpha1.PlatformYouTube, "" })
	tube := s.account("tube", func(a *v1alpha1.SocialAccount) { a.Spec.Platform = v1alpha1.PlatformYouTube })
	s.declare(t, tube)
	s.expect(t, map[string]verdict{"tube": good(seenAs("Unknown/Unauthorized"), identityUnknown, func(v *verdict) { v.compliant = "Unknown/AwaitingObservation" })})
	condition(t, s.connection, ofConnection, "Ready", "False/AppSecretMalformed", "the app Secret lacks apiKey")
	s.noCircles(t)
	expectEvents(t, tube)
}

var reconciles = regexp.MustCompile(`(?m)^controller_runtime_reconcile_total\{controller="platformconnection",result="success"\} ([0-9]+)$`)

// noCircles says that the connection controller rests although something is in
// its way. Other tests give it work, so this counts generously: running in circles
// it would do thousands a second.
func (s *scene) noCircles(t *testing.T) {
	t.Helper()
	count := func() int {
		text, err := shared.operator.scrape(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m := reconciles.FindStringSubmatch(text)
		if m == nil {
			t.Fatal("there is no count of reconciles")
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	lowest := -1
	for range 5 {
		before := count()
		polls := 0
		until(t, func(context.Context) (string, error) {
			polls++
			if polls < 8 {
				return "watching", nil
			}
			return "", nil
		})
		if n := count() - before; lowest < 0 || n < lowest {
			lowest = n
		}
		if lowest < 20 {
			return
		}
	}
	t.Error(fmt.Sprint("the connection controller runs in circles: ", lowest, " passes in a fifth of a second"))
}
