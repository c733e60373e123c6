package roster

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Stream feeds a roster with all accounts of the cluster, of which it decodes nothing
// but what the roster keeps.
type Stream struct {
	roster *Roster
	lw     *cache.ListWatch
	synced chan struct{}
}

// NewStream prepares a watch of all accounts.
func NewStream(cfg *rest.Config, r *Roster) (*Stream, error) {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypeWithName(v1alpha1.SchemeGroupVersion.WithKind("SocialAccount"), &slim{})
	scheme.AddKnownTypeWithName(v1alpha1.SchemeGroupVersion.WithKind("SocialAccountList"), &slimList{})
	metav1.AddToGroupVersion(scheme, v1alpha1.SchemeGroupVersion)
	utilruntime.Must(metav1.AddMetaToScheme(scheme))
	cfg = rest.CopyConfig(cfg)
	cfg.GroupVersion, cfg.APIPath = &v1alpha1.SchemeGroupVersion, "/apis"
	cfg.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	cfg.ContentType, cfg.AcceptContentTypes = runtime.ContentTypeJSON, runtime.ContentTypeJSON
	client, err := rest.RESTClientFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("creating the client of the fleet's watch: %w", err)
	}
	parameters := runtime.NewParameterCodec(scheme)
	s := &Stream{roster: r, synced: make(chan struct{})}
	s.lw = &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			list := &slimList{}
			if err := client.Get().Resource("socialaccounts").VersionedParams(&o, parameters).Do(ctx).Into(list); err != nil {
				return nil, err
			}
			for i := range list.Items {
				list.Items[i] = *s.take(&list.Items[i])
			}
			return list, nil
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.Watch = true
			all, err := client.Get().Resource("socialaccounts").VersionedParams(&o, parameters).Watch(ctx)
			if err != nil {
				return nil, err
			}
			return watch.Filter(all, s.pass), nil
		},
	}
	return s, nil
}

// take puts an account into the roster as soon as it is decoded, and returns what tells
// the reflector which one it was: that holds a whole list before it hands any of it over.
func (s *Stream) take(one *slim) *slim {
	s.roster.Put(one.account())
	return &slim{Meta: slimMeta{Name: one.Meta.Name, Namespace: one.Meta.Namespace, UID: one.Meta.UID, ResourceVersion: one.Meta.ResourceVersion}}
}

// pass takes what a watch brings. What else comes, and what was deleted, is the store's.
func (s *Stream) pass(e watch.Event) (watch.Event, bool) {
	one, ok := e.Object.(*slim)
	if ok && (e.Type == watch.Added || e.Type == watch.Modified) {
		e.Object = s.take(one)
	}
	return e, true
}

// Start watches until ctx ends.
func (s *Stream) Start(ctx context.Context) error {
	reflector := cache.NewReflectorWithOptions(s.lw, &slim{}, s, cache.ReflectorOptions{Name: "fleet", TypeDescription: "SocialAccount"})
	reflector.RunWithContext(ctx)
	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (s *Stream) NeedLeaderElection() bool { return false }

// Synced is closed once the roster holds the whole fleet.
func (s *Stream) Synced() <-chan struct{} { return s.synced }

// Wait waits until the roster holds the whole fleet; false if ctx ends first.
func (s *Stream) Wait(ctx context.Context) bool {
	select {
	case <-s.synced:
		return true
	case <-ctx.Done():
		return false
	}
}

var errNoAccount = errors.New("the watch of all accounts sent something else")

// Add implements cache.ReflectorStore.
func (s *Stream) Add(o any) error { return s.Update(o) }

// Update implements cache.ReflectorStore. The account was taken when it was decoded.
func (s *Stream) Update(o any) error {
	if _, ok := o.(*slim); !ok {
		return errNoAccount
	}
	return nil
}

// Delete implements cache.ReflectorStore.
func (s *Stream) Delete(o any) error {
	one, ok := o.(*slim)
	if !ok {
		return errNoAccount
	}
	s.roster.Drop(one.Meta.UID)
	return nil
}

// Replace implements cache.ReflectorStore.
func (s *Stream) Replace(all []any, _ string) error {
	uids := make(map[types.UID]struct{}, len(all))
	for _, o := range all {
		one, ok := o.(*slim)
		if !ok {
			return errNoAccount
		}
		uids[one.Meta.UID] = struct{}{}
	}
	s.roster.Keep(uids)
	select {
	case <-s.synced:
	default:
		close(s.synced)
	}
	return nil
}

// Resync implements cache.ReflectorStore.
func (s *Stream) Resync() error { return nil }

// slim is what is decoded of an account.
type slim struct {
	metav1.TypeMeta `json:",inline"`
	Meta            slimMeta `json:"metadata"`
	// Spec is what the roster takes; nil: it has.
	Spec   *slimSpec `json:"spec"`
	Status struct {
		AccountID string `json:"accountID"`
	} `json:"status"`
}

type slimSpec struct {
	Platform  v1alpha1.PlatformName `json:"platform"`
	Handle    string                `json:"handle"`
	AccountID string                `json:"accountID"`
	Owner     struct {
		Accountable v1alpha1.PersonName `json:"accountable"`
	} `json:"owner"`
	Team []struct {
		Person v1alpha1.PersonName `json:"person"`
	} `json:"team"`
}

type slimMeta struct {
	Name              string       `json:"name"`
	Namespace         string       `json:"namespace"`
	UID               types.UID    `json:"uid"`
	ResourceVersion   string       `json:"resourceVersion"`
	CreationTimestamp metav1.Time  `json:"creationTimestamp"`
	DeletionTimestamp *metav1.Time `json:"deletionTimestamp"`
	// Annotations are the one that ends a streamed list.
	Annotations struct {
		InitialEventsEnd string `json:"k8s.io/initial-events-end"`
	} `json:"annotations"`
}

// GetObjectMeta implements metav1.ObjectMetaAccessor.
func (s *slim) GetObjectMeta() metav1.Object {
	m := &metav1.ObjectMeta{
		Name: s.Meta.Name, Namespace: s.Meta.Namespace, UID: s.Meta.UID, ResourceVersion: s.Meta.ResourceVersion,
		CreationTimestamp: s.Meta.CreationTimestamp, DeletionTimestamp: s.Meta.DeletionTimestamp,
	}
	if end := s.Meta.Annotations.InitialEventsEnd; end != "" {
		m.Annotations = map[string]string{metav1.InitialEventsAnnotationKey: end}
	}
	return m
}

// DeepCopyObject implements runtime.Object.
func (s *slim) DeepCopyObject() runtime.Object {
	next := *s
	if s.Spec != nil {
		spec := *s.Spec
		spec.Team = append(spec.Team[:0:0], spec.Team...)
		next.Spec = &spec
	}
	next.Meta.DeletionTimestamp = s.Meta.DeletionTimestamp.DeepCopy()
	return &next
}

// account is the account as the roster takes it.
func (s *slim) account() *v1alpha1.SocialAccount {
	acc := &v1alpha1.SocialAccount{ObjectMeta: metav1.ObjectMeta{
		Name: s.Meta.Name, Namespace: s.Meta.Namespace, UID: s.Meta.UID, ResourceVersion: s.Meta.ResourceVersion,
		CreationTimestamp: s.Meta.CreationTimestamp, DeletionTimestamp: s.Meta.DeletionTimestamp,
	}}
	acc.Status.AccountID = s.Status.AccountID
	if s.Spec == nil {
		return acc
	}
	acc.Spec.Platform, acc.Spec.Handle, acc.Spec.AccountID = s.Spec.Platform, s.Spec.Handle, s.Spec.AccountID
	acc.Spec.Owner.Accountable = s.Spec.Owner.Accountable
	for i := range s.Spec.Team {
		acc.Spec.Team = append(acc.Spec.Team, v1alpha1.TeamMember{Person: s.Spec.Team[i].Person})
	}
	return acc
}

// slimList is what is decoded of a list.
type slimList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []slim `json:"items"`
}

// DeepCopyObject implements runtime.Object.
func (l *slimList) DeepCopyObject() runtime.Object {
	next := &slimList{TypeMeta: l.TypeMeta, ListMeta: *l.ListMeta.DeepCopy(), Items: make([]slim, len(l.Items))}
	for i := range l.Items {
		if one, ok := l.Items[i].DeepCopyObject().(*slim); ok {
			next.Items[i] = *one
		}
	}
	return next
}
