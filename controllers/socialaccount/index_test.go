package socialaccount

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func TestWhatWakesTheReconciler(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*v1alpha1.SocialAccount)
		want   bool
	}{
		{"nothing", func(*v1alpha1.SocialAccount) {}, false},
		{"its own status", func(a *v1alpha1.SocialAccount) { a.Status.Drift = []v1alpha1.Drift{{Field: "bio"}} }, false},
		{"an annotation of somebody else", func(a *v1alpha1.SocialAccount) { a.Annotations = map[string]string{"a": "b"} }, false},
		{"a new generation", func(a *v1alpha1.SocialAccount) { a.Generation++ }, true},
		{"a label", func(a *v1alpha1.SocialAccount) { a.Labels = map[string]string{"region": "riyadh"} }, true},
		{"a requested check", func(a *v1alpha1.SocialAccount) { a.Annotations = map[string]string{AnnotationCheckRequested: "1"} }, true},
		{"a pinned id", func(a *v1alpha1.SocialAccount) { a.Status.AccountID = "42" }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := inOrder(t).account
			after := before.DeepCopy()
			c.change(after)
			if got := specChanged().Update(event.UpdateEvent{ObjectOld: before, ObjectNew: after}); got != c.want {
				t.Errorf("woken: %v", got)
			}
		})
	}
}

func TestTheFirstStatusWaitsForTheFirstLook(t *testing.T) {
	r := New(Config{FirstLook: 15 * time.Second})
	f := inOrder(t)
	unseen(&f)
	if wait := r.hold(f, today); wait != 15*time.Second {
		t.Errorf("waits %s", wait)
	}
	if wait := r.hold(f, today.Add(10*time.Second)); wait != 5*time.Second {
		t.Errorf("waits %s more", wait)
	}
	if wait := r.hold(f, today.Add(15*time.Second)); wait > 0 {
		t.Errorf("waits %s for ever", wait)
	}
	lane("ConnectionMissing")(&f)
	if wait := r.hold(f, today); wait <= 0 {
		t.Error("a connection that is about to open costs a second write")
	}
	lane("PlatformUnavailable")(&f)
	if wait := r.hold(f, today); wait > 0 {
		t.Error("it waits although the platform is away")
	}
	lane("")(&f)
	untold(&f)
	if wait := r.hold(f, today); wait > 0 {
		t.Error("it waits although the platform was asked and says nothing")
	}
	f = inOrder(t)
	if wait := r.hold(f, today); wait > 0 {
		t.Error("it waits although the account was seen")
	}
	unseen(&f)
	f.account.Status.Conditions = []metav1.Condition{{Type: "Observed"}}
	if wait := r.hold(f, today); wait > 0 {
		t.Error("a status that exists waits")
	}
}

func TestAnAccountIsUrgentOncePerRevision(t *testing.T) {
	r := New(Config{})
	acc := inOrder(t).account
	acc.Status.ObservedGeneration = acc.Generation
	if r.urgent(acc) {
		t.Error("a restart makes it urgent")
	}
	acc.Annotations = map[string]string{AnnotationCheckRequested: "now"}
	if !r.urgent(acc) || r.urgent(acc) {
		t.Error("a requested check is not urgent exactly once")
	}
	acc.Generation++
	if !r.urgent(acc) || r.urgent(acc) {
		t.Error("a new generation is not urgent exactly once")
	}
	other := New(Config{})
	if !other.urgent(acc) {
		t.Error("a generation that nobody judged is not urgent after a restart")
	}
}

// TestAFirstStatusWaitsOnWhileOthersAreAnswered: the first looks of a large fleet take
// minutes, and a second write for each account as long again.
func TestAFirstStatusWaitsOnWhileOthersAreAnswered(t *testing.T) {
	f := inOrder(t)
	unseen(&f)
	f.account.Status = v1alpha1.SocialAccountStatus{}
	at := func(d time.Duration) time.Time { return today.Add(d) }
	for name, c := range map[string]struct {
		after, heard time.Duration
		want         time.Duration
	}{
		"nobody was ever answered":       {15 * time.Second, -time.Hour, 0},
		"answered a moment ago":          {15 * time.Second, 14 * time.Second, 15 * time.Second},
		"asked again after as long":      {time.Minute, time.Minute, time.Minute},
		"nobody answered for first look": {time.Minute, 45 * time.Second, 0},
		"within the first look anyway":   {5 * time.Second, -time.Hour, 10 * time.Second},
		"the bound comes first":          {9 * time.Minute, 9 * time.Minute, time.Minute},
		"nobody waits for ever":          {10 * time.Minute, 10 * time.Minute, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := New(Config{FirstLook: 15 * time.Second})
			r.hold(f, today)
			f.view.Heard = at(c.heard)
			if got := max(r.hold(f, at(c.after)), 0); got != c.want {
				t.Errorf("it waits for %s, want %s", got, c.want)
			}
		})
	}
}
