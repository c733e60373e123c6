// Package compact makes objects of a cache smaller without changing what they say: an
// account of a large fleet is mostly strings that thousands of others hold too.
package compact

import (
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Bounds of what is shared: longer strings are hardly ever the same, and a table that
// is full begins anew, so that nobody can make it grow for ever by what they declare.
const (
	maxLength  = 160
	maxStrings = 1 << 14
)

// table holds one copy of each string that it was given. It is safe for concurrent use.
type table struct {
	mu      sync.RWMutex
	strings map[string]string
}

func newTable() *table { return &table{strings: map[string]string{}} }

// share makes a string the copy that others hold as well.
func share[S ~string](t *table, s *S) {
	if *s == "" || len(*s) > maxLength {
		return
	}
	t.mu.RLock()
	one, ok := t.strings[string(*s)]
	t.mu.RUnlock()
	if !ok {
		one = t.put(string(*s))
	}
	*s = S(one)
}

func (t *table) put(s string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if one, ok := t.strings[s]; ok {
		return one
	}
	if len(t.strings) >= maxStrings {
		clear(t.strings)
	}
	t.strings[s] = s
	return s
}

// Account returns a transformation for the cache of accounts. It drops what Mithaq
// never reads: who manages which field, and what kubectl applied last. The rest stays
// as it is, but equal strings are held once.
func Account() func(any) (any, error) {
	t := newTable()
	return func(o any) (any, error) {
		acc, ok := o.(*v1alpha1.SocialAccount)
		if !ok {
			return o, nil // a tombstone
		}
		if err := strip(acc); err != nil {
			return nil, err
		}
		t.spec(acc)
		t.status(&acc.Status)
		return acc, nil
	}
}

func strip(o any) error {
	m, err := meta.Accessor(o)
	if err != nil {
		return fmt.Errorf("making an object smaller: %w", err)
	}
	m.SetManagedFields(nil)
	if annotations := m.GetAnnotations(); annotations[corev1.LastAppliedConfigAnnotation] != "" {
		delete(annotations, corev1.LastAppliedConfigAnnotation)
		m.SetAnnotations(annotations)
	}
	return nil
}

func (t *table) spec(acc *v1alpha1.SocialAccount) {
	share(t, &acc.Namespace)
	acc.Labels = t.labels(acc.Labels)
	s := &acc.Spec
	share(t, &s.Platform)
	share(t, &s.Class)
	share(t, &s.Tier)
	share(t, &s.Language)
	share(t, &s.Purpose)
	share(t, &s.Owner.Contact)
	share(t, &s.DeletionPolicy)
	if s.ConnectionRef != nil {
		share(t, &s.ConnectionRef.Name)
	}
	if s.Profile != nil {
		share(t, &s.Profile.Website)
	}
	t.people(s)
}

// labels are rebuilt: their keys are the same everywhere.
func (t *table) labels(labels map[string]string) map[string]string {
	if len(labels) == 0 {
		return labels
	}
	out := make(map[string]string, len(labels))
	for name, value := range labels {
		share(t, &name)
		out[name] = value
	}
	return out
}

// people are named again and again within an account, and by few others.
func (t *table) people(s *v1alpha1.SocialAccountSpec) {
	names := make([]v1alpha1.PersonName, 0, 8)
	one := func(p *v1alpha1.PersonName) {
		for _, name := range names {
			if name == *p {
				*p = name
				return
			}
		}
		names = append(names, *p)
	}
	one(&s.Owner.Accountable)
	for i := range s.Team {
		one(&s.Team[i].Person)
		for j := range s.Team[i].Roles {
			share(t, &s.Team[i].Roles[j])
		}
	}
	for i := range s.Attestations {
		one(&s.Attestations[i].By)
		share(t, &s.Attestations[i].Control)
	}
	for i := range s.Acknowledgements {
		a := &s.Acknowledgements[i]
		one(&a.Person)
		share(t, &a.Policy)
		share(t, &a.Version)
	}
}

func (t *table) status(s *v1alpha1.SocialAccountStatus) {
	t.conditions(s.Conditions)
	t.profile(s.Profile)
	if s.Evaluation != nil {
		share(t, &s.Evaluation.Digest)
	}
	for i := range s.Findings {
		f := &s.Findings[i]
		share(t, &f.Rule)
		share(t, &f.Policy)
		share(t, &f.PolicyVersion)
		share(t, &f.Severity)
		share(t, &f.Verdict)
		share(t, &f.Mode)
		share(t, &f.Evidence)
		share(t, &f.Control)
		share(t, &f.LegalBasis)
		share(t, &f.Message)
	}
	for i := range s.Transitions {
		change := &s.Transitions[i]
		share(t, &change.Condition)
		share(t, &change.From)
		share(t, &change.To)
		share(t, &change.Reason)
	}
}

func (t *table) conditions(all []metav1.Condition) {
	for i := range all {
		c := &all[i]
		share(t, &c.Type)
		share(t, &c.Status)
		share(t, &c.Reason)
		if c.Type != v1alpha1.ConditionObserved { // it names the account
			share(t, &c.Message)
		}
	}
}

func (t *table) profile(p *v1alpha1.LiveProfile) {
	if p == nil {
		return
	}
	share(t, &p.Bio)
	share(t, &p.Website)
	share(t, &p.Location)
	share(t, &p.AvatarSHA256)
	share(t, &p.AvatarPerceptualHash)
	share(t, &p.State)
}
