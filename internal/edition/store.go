// Package edition knows which edition of each policy is in force: the one in
// spec if it compiles, else the last one that did. Accepted editions are kept as
// ControllerRevisions in the operator's namespace, so that neither a restart nor
// a broken edit loses what is in force.
package edition

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/singleflight"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
)

// LabelPolicy marks the ControllerRevisions of a policy with its UID.
const LabelPolicy = "mithaq.dev/policy-uid"

// keep is how many accepted editions of a policy are kept.
const keep = 10

// Edition is what is known of a policy's spec.
type Edition struct {
	// InForce is the edition that is enforced; nil when none was ever accepted.
	InForce *governance.Policy
	// Selector selects the accounts that the spec is about, where InForce is nil
	// and the spec's selector is sound.
	Selector *governance.Policy
	// Generation is the generation of InForce.
	Generation int64
	// Problems say why the spec does not compile. When there are none, InForce
	// is the spec.
	Problems []governance.Problem
}

// Store compiles each generation of each policy once. It is safe for concurrent
// use.
type Store struct {
	namespace string
	writer    client.Client
	live      client.Reader

	mu    sync.Mutex
	known map[types.UID]entry

	compiling singleflight.Group
}

type entry struct {
	generation int64
	edition    Edition
}

// NewStore keeps accepted editions in namespace. live reads past any cache: it
// is asked only when a spec does not compile.
func NewStore(namespace string, writer client.Client, live client.Reader) *Store {
	return &Store{namespace: namespace, writer: writer, live: live, known: map[types.UID]entry{}}
}

// Of returns the edition in force for a policy. The error is that of the API
// server when the last accepted edition has to be read and cannot be.
func (s *Store) Of(ctx context.Context, policy *v1alpha1.GovernancePolicy) (Edition, error) {
	s.mu.Lock()
	was, ok := s.known[policy.UID]
	s.mu.Unlock()
	if ok && was.generation == policy.Generation {
		return was.edition, nil
	}
	// All workers ask for a new edition in the same moment.
	next, err, _ := s.compiling.Do(fmt.Sprintf("%s/%d", policy.UID, policy.Generation), func() (any, error) { return s.compile(ctx, policy) })
	if err != nil {
		return Edition{}, err
	}
	return next.(Edition), nil //nolint:forcetypeassert // compile returns one
}

func (s *Store) compile(ctx context.Context, policy *v1alpha1.GovernancePolicy) (Edition, error) {
	next := Edition{Generation: policy.Generation}
	next.InForce, next.Problems = governance.Compile(policy.Name, &policy.Spec)
	if len(next.Problems) > 0 {
		next.InForce, next.Generation = nil, 0
		last, generation, err := s.lastAccepted(ctx, policy)
		if err != nil {
			return Edition{}, err
		}
		next.InForce, next.Generation = last, generation
		next.Selector, _ = governance.Compile(policy.Name, &v1alpha1.GovernancePolicySpec{
			Version: policy.Spec.Version, Mode: policy.Spec.Mode, Selector: policy.Spec.Selector,
		})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now, ok := s.known[policy.UID]; !ok || now.generation < policy.Generation {
		s.known[policy.UID] = entry{policy.Generation, next}
	}
	return next, nil
}

// Forget drops what is known of a policy that is gone.
func (s *Store) Forget(uid types.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, uid)
}

// Keep records that the policy's present spec was accepted, and drops the oldest
// records. It writes nothing when the record exists.
func (s *Store) Keep(ctx context.Context, policy *v1alpha1.GovernancePolicy) error {
	if policy.Status.InForce != nil && policy.Status.InForce.Generation == policy.Generation {
		return nil
	}
	raw, err := json.Marshal(policy.Spec)
	if err != nil {
		return fmt.Errorf("encoding edition: %w", err)
	}
	revision := &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.namespace,
			Name:      fmt.Sprintf("gpol-%s-%d", policy.UID, policy.Generation),
			Labels:    map[string]string{LabelPolicy: string(policy.UID)},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: v1alpha1.KindGovernancePolicy,
				Name: policy.Name, UID: policy.UID,
			}},
		},
		Revision: policy.Generation,
		Data:     runtime.RawExtension{Raw: raw},
	}
	if err := s.writer.Create(ctx, revision, client.DisableReadYourWritesConsistency); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("keeping the accepted edition: %w", err)
	}
	return s.prune(ctx, policy.UID)
}

func (s *Store) prune(ctx context.Context, uid types.UID) error {
	revisions, err := s.revisions(ctx, uid)
	if err != nil {
		return err
	}
	for _, old := range revisions[min(keep, len(revisions)):] {
		if err := s.writer.Delete(ctx, &old, client.DisableReadYourWritesConsistency); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("dropping an old edition: %w", err)
		}
	}
	return nil
}

// lastAccepted is the newest kept edition that compiles.
func (s *Store) lastAccepted(ctx context.Context, policy *v1alpha1.GovernancePolicy) (*governance.Policy, int64, error) {
	revisions, err := s.revisions(ctx, policy.UID)
	if err != nil {
		return nil, 0, err
	}
	for _, revision := range revisions {
		var spec v1alpha1.GovernancePolicySpec
		if err := json.Unmarshal(revision.Data.Raw, &spec); err != nil {
			return nil, 0, fmt.Errorf("decoding the accepted edition %s: %w", revision.Name, err)
		}
		if compiled, problems := governance.Compile(policy.Name, &spec); len(problems) == 0 {
			return compiled, revision.Revision, nil
		}
	}
	return nil, 0, nil
}

// revisions lists a policy's kept editions, newest first.
func (s *Store) revisions(ctx context.Context, uid types.UID) ([]appsv1.ControllerRevision, error) {
	var list appsv1.ControllerRevisionList
	if err := s.live.List(ctx, &list, client.InNamespace(s.namespace), client.MatchingLabels{LabelPolicy: string(uid)}); err != nil {
		return nil, fmt.Errorf("listing accepted editions: %w", err)
	}
	slices.SortFunc(list.Items, func(a, b appsv1.ControllerRevision) int { return int(b.Revision - a.Revision) })
	return list.Items, nil
}
