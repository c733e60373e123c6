package lifetime

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/observe"
)

// turnstile is a budget: each call has to ask for it as often as it says.
type turnstile struct {
	waits, asked, let int
	firsts            int
	ended             []error
}

func (b *turnstile) Take(a observe.Errand) (done func(error), ok bool) {
	if b.asked++; b.asked <= b.waits {
		return nil, false
	}
	b.asked = 0
	b.let++
	if a.First {
		b.firsts++
	}
	return func(err error) { b.ended = append(b.ended, err) }, true
}

func (b *turnstile) Leave(types.NamespacedName) { b.asked = 0 }

func (*turnstile) Errands() source.Source { return nil }

// A call that waits for its connection's budget leaves nothing behind: no intent, no
// write, no request. So a crash while it waits is no lost answer.
func TestACallThatWaitsForItsBudgetLeavesNothingBehind(t *testing.T) {
	l := newLife(t)
	budget := &turnstile{waits: 3}
	l.r.Budgets = budget
	let, sent := 0, 0
	waited := 0
	pass := func() {
		before, status := l.vault(), l.read().Status.DeepCopy()
		let, sent = budget.let, len(l.world.History().Calls)
		result := l.pass()
		if budget.let == let && budget.asked > 0 {
			waited++
			after := l.vault()
			if after.Journal.Op != nil {
				t.Fatalf("it waits with an open operation: %+v", after.Journal.Op)
			}
			if diff := cmp.Diff(before, after); budget.asked > 1 && diff != "" {
				t.Errorf("a wait wrote the vault: %s", diff)
			}
			if diff := cmp.Diff(*status, l.read().Status); budget.asked > 2 && diff != "" {
				t.Errorf("a wait wrote the status: %s", diff)
			}
			if n := len(l.world.History().Calls); n != sent {
				t.Errorf("it sent %d requests while it waited", n-sent)
			}
			if result.RequeueAfter <= 0 || result.RequeueAfter > time.Minute {
				t.Errorf("it looks again after %s", result.RequeueAfter)
			}
		}
		next := max(result.RequeueAfter, time.Millisecond)
		if budget.asked > 0 {
			next = time.Second // its turn wakes it: a code lives for half a minute
		}
		l.clock.SetTime(l.clock.Now().Add(next))
	}
	pass()
	l.consent()
	for range 60 {
		pass()
	}
	acc := l.read()
	if held := acc.Status.Credentials; held == nil || *held.RotationsTotal != 1 {
		t.Fatalf("not settled: %+v", acc.Status)
	}
	if waited < 2*budget.let || budget.let < 3 {
		t.Errorf("%d waits of %d calls", waited, budget.let)
	}
	for _, err := range budget.ended {
		if err != nil {
			t.Errorf("a call that was answered ended with %v", err)
		}
	}
	if l.vault().Journal.Epoch != 0 {
		t.Error("a wait was taken for a lost answer")
	}
}

// What ends a compromised credential goes before everything else that waits.
func TestACompromisedCredentialGoesFirst(t *testing.T) {
	l := newLife(t)
	budget := &turnstile{}
	l.r.Budgets = budget
	l.first()
	if budget.firsts != 1 { // the code, which does not live long
		t.Errorf("%d calls of %d went first", budget.firsts, budget.let)
	}
	acc := l.read()
	at := metav1.NewTime(l.clock.Now())
	acc.Spec.Credentials.Compromised = &at
	acc.Spec.DeletionPolicy = v1alpha1.DeletionRevokeAccess
	if err := l.client.Update(t.Context(), acc); err != nil {
		t.Fatal(err)
	}
	l.clock.SetTime(l.clock.Now().Add(time.Second))
	let, firsts := budget.let, budget.firsts
	l.pass()
	l.consent()
	for range 20 {
		l.clock.SetTime(l.clock.Now().Add(max(min(l.pass().RequeueAfter, time.Minute), time.Millisecond)))
	}
	if v := l.vault(); !v.Journal.RevokedGrant || !v.Journal.RevokedAccess {
		t.Fatalf("not revoked: %+v", v.Journal)
	}
	if budget.let == let || budget.let-let != budget.firsts-firsts {
		t.Errorf("%d calls of %d went first", budget.firsts-firsts, budget.let-let)
	}
}
