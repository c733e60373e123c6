package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/bench/fleet"
	"mithaq.dev/mithaq/hack/local"
)

// people are everybody who takes part in handovers: they see in a watch what the status
// asks of them, and do it by the ways that people have.
type people struct {
	b *bench

	mu       sync.Mutex
	accounts map[string]*held
	// errands are what is still to be done, by platform: at the dialog of each sits one
	// person at a time.
	errands map[v1alpha1.PlatformName]chan errand
	failed  error
}

// held is an account whose hands change.
type held struct {
	fleet.Account
	rotations int64
	settled   bool
	unseating bool
	// page is the consent page that was opened last.
	page  string
	steps []v1alpha1.HumanStep
	words []v1alpha1.Attestation
}

// errand is a page to be opened.
type errand struct {
	of    fleet.Account
	page  string
	after bool
}

// startPeople watches the first n accounts until ctx ends.
func startPeople(ctx context.Context, b *bench, n int) (*people, error) {
	p := &people{b: b, accounts: map[string]*held{}, errands: map[v1alpha1.PlatformName]chan errand{}}
	for i := range n {
		a := b.fleet.At(i)
		p.accounts[a.Name] = &held{Account: a}
	}
	for _, on := range fleet.Platforms() {
		todo := make(chan errand, 4*n) // a page is asked for again only where it was lost
		p.errands[on] = todo
		go func() {
			for ctx.Err() == nil {
				select {
				case <-ctx.Done():
				case one := <-todo:
					p.note(p.consent(ctx, one))
				}
			}
		}()
	}
	source := cache.NewListWatchFromClient(b.raw, "socialaccounts", metav1.NamespaceAll, fields.Everything())
	informer := cache.NewSharedInformer(source, &v1alpha1.SocialAccount{}, 0)
	if err := informer.SetTransform(p.see); err != nil {
		return nil, fmt.Errorf("watching accounts: %w", err)
	}
	go informer.RunWithContext(ctx)
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return nil, ctx.Err()
	}
	return p, nil
}

func (p *people) note(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed = errors.Join(p.failed, err)
}

// see takes in what an account's status says, and keeps no more of it than a name.
func (p *people) see(o any) (any, error) {
	acc, ok := o.(*v1alpha1.SocialAccount)
	if !ok {
		return o, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if h := p.accounts[acc.Name]; h != nil {
		h.take(acc)
		if running := acc.Status.Handover; running != nil && running.ConsentURL != "" && running.ConsentURL != h.page && acc.Status.AccountID != "" {
			h.page = running.ConsentURL
			p.errands[h.Platform] <- errand{h.Account, h.page, running.To == h.Holder(true)}
		}
	}
	return &v1alpha1.SocialAccount{ObjectMeta: metav1.ObjectMeta{Namespace: acc.Namespace, Name: acc.Name, ResourceVersion: acc.ResourceVersion}}, nil
}

func (h *held) take(acc *v1alpha1.SocialAccount) {
	h.rotations = 0
	if c := acc.Status.Credentials; c != nil && c.RotationsTotal != nil {
		h.rotations = *c.RotationsTotal
	}
	h.settled = meta.IsStatusConditionTrue(acc.Status.Conditions, v1alpha1.ConditionHandoverComplete) &&
		meta.IsStatusConditionTrue(acc.Status.Conditions, v1alpha1.ConditionCredentialsHealthy)
	h.unseating, h.steps, h.words = false, nil, acc.Spec.Attestations
	if running := acc.Status.Handover; running != nil && running.Phase == v1alpha1.PhaseUnseating {
		for _, s := range running.HumanSteps {
			if s.State == v1alpha1.HumanStepOpen {
				h.unseating = true
				h.steps = append(h.steps, v1alpha1.HumanStep{Step: s.Step})
			}
		}
	}
}

// settled counts those whose rotations are complete, asked those where people are asked
// for their part.
func (p *people) settled(rotations int64) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range p.accounts {
		if h.settled && h.rotations >= rotations {
			n++
		}
	}
	return n, p.failed
}

func (p *people) asked() (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range p.accounts {
		if h.unseating {
			n++
		}
	}
	return n, p.failed
}

// consent does what a person does at a consent page.
func (p *people) consent(ctx context.Context, one errand) error {
	choice, byConsent := one.of.Choice(one.after)
	if !byConsent {
		return fmt.Errorf("%s is asked for a consent that it does not need", one.of.Name)
	}
	if err := local.Consent(ctx, one.page, p.b.sim.Base+"/v1/consent/"+string(one.of.Platform), choice); err != nil {
		return fmt.Errorf("consent of %s: %w", one.of.Name, err)
	}
	return nil
}

// attest gives people's word on every step that is asked for of an account.
func (p *people) attest(ctx context.Context, name string) error {
	p.mu.Lock()
	h := p.accounts[name]
	words := append([]v1alpha1.Attestation(nil), h.words...)
	for _, s := range h.steps {
		words = append(words, v1alpha1.Attestation{
			// A word counts from its moment on, in whole seconds.
			Control: s.Step, By: h.Holder(true), At: metav1.NewTime(time.Now().Add(time.Second).Truncate(time.Second)),
		})
	}
	p.mu.Unlock()
	return p.b.patchSpec(ctx, h.Account, map[string]any{"attestations": words})
}

// patchSpec changes what is declared of an account.
func (b *bench) patchSpec(ctx context.Context, a fleet.Account, spec map[string]any) error {
	raw, err := json.Marshal(map[string]any{"spec": spec})
	if err != nil {
		return fmt.Errorf("encoding a change: %w", err)
	}
	acc := &v1alpha1.SocialAccount{ObjectMeta: metav1.ObjectMeta{Namespace: a.Namespace, Name: a.Name}}
	if err := b.cluster.Client.Patch(ctx, acc, client.RawPatch("application/merge-patch+json", raw), client.FieldOwner("mithaq-bench")); err != nil {
		return fmt.Errorf("changing %s: %w", a.Name, err)
	}
	return nil
}
