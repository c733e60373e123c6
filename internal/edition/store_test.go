package edition_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/edition"
)

const home = "mithaq-system"

// server stands in for the API server and counts what it is asked.
type server struct {
	client.Client
	lists, creates, deletes int
	fail                    error
}

func newServer(t *testing.T) *server {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := appsv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	s := &server{}
	s.Client = fake.NewClientBuilder().WithScheme(scheme).WithInterceptorFuncs(interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			if s.lists++; s.fail != nil {
				return s.fail
			}
			return c.List(ctx, list, opts...)
		},
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			if s.creates++; s.fail != nil {
				return s.fail
			}
			return c.Create(ctx, o, opts...)
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			s.deletes++
			return c.Delete(ctx, o, opts...)
		},
	}).Build()
	return s
}

func (s *server) kept(t *testing.T) []int64 {
	t.Helper()
	var list appsv1.ControllerRevisionList
	if err := s.Client.List(t.Context(), &list, client.InNamespace(home)); err != nil {
		t.Fatal(err)
	}
	var generations []int64
	for _, r := range list.Items {
		generations = append(generations, r.Revision)
	}
	slices.Sort(generations)
	return generations
}

func policy(generation int64, pattern string) *v1alpha1.GovernancePolicy {
	p := &v1alpha1.GovernancePolicy{}
	p.Name, p.UID, p.Generation = "moe-manual", "uid-1", generation
	p.Spec.Version = v1alpha1.EditionVersion(fmt.Sprint(generation, ".0"))
	p.Spec.Identity = &v1alpha1.IdentityRules{HandlePattern: v1alpha1.RegularExpression(pattern)}
	p.Spec.Selector = &v1alpha1.PolicySelector{Platforms: []v1alpha1.PlatformName{v1alpha1.PlatformX}}
	return p
}

const broken = "^edu_("

func accept(t *testing.T, s *edition.Store, p *v1alpha1.GovernancePolicy) {
	t.Helper()
	if _, err := s.Of(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if err := s.Keep(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

func TestASoundSpecIsInForceAndAsksNobody(t *testing.T) {
	srv := newServer(t)
	store := edition.NewStore(home, srv, srv)
	for range 2 {
		got, err := store.Of(t.Context(), policy(3, "^edu_"))
		if err != nil {
			t.Fatal(err)
		}
		if got.InForce == nil || got.InForce.Version() != "3.0" || got.Generation != 3 || len(got.Problems) != 0 {
			t.Fatalf("got %+v", got)
		}
	}
	if srv.lists != 0 {
		t.Errorf("the server was asked %d times", srv.lists)
	}
}

func TestABrokenEditLeavesTheLastAcceptedGenerationInForce(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		t.Run(fmt.Sprint("restarted=", restarted), func(t *testing.T) {
			srv := newServer(t)
			store := edition.NewStore(home, srv, srv)
			accept(t, store, policy(1, "^edu_"))
			accept(t, store, policy(2, "^moe_"))
			if restarted {
				store = edition.NewStore(home, srv, srv)
			}
			got, err := store.Of(t.Context(), policy(3, broken))
			if err != nil {
				t.Fatal(err)
			}
			if got.InForce == nil || got.Generation != 2 || got.InForce.Version() != "2.0" {
				t.Fatalf("in force: %+v", got)
			}
			if len(got.Problems) != 1 || got.Problems[0].Rule != "identity/handle-pattern" || got.Problems[0].Position != 5 {
				t.Errorf("problems: %v", got.Problems)
			}
			lists := srv.lists
			if _, err := store.Of(t.Context(), policy(3, broken)); err != nil || srv.lists != lists {
				t.Errorf("the same generation was read again: %v", err)
			}
		})
	}
}

func TestAPolicyThatWasNeverSoundStillSelects(t *testing.T) {
	srv := newServer(t)
	got, err := edition.NewStore(home, srv, srv).Of(t.Context(), policy(1, broken))
	if err != nil {
		t.Fatal(err)
	}
	if got.InForce != nil || got.Generation != 0 || got.Selector == nil {
		t.Fatalf("got %+v", got)
	}
	acc := &v1alpha1.SocialAccount{}
	acc.Spec.Platform = v1alpha1.PlatformX
	if !got.Selector.Selects(acc, nil) {
		t.Error("it does not select the account that its spec selects")
	}
	acc.Spec.Platform = v1alpha1.PlatformSnapchat
	if got.Selector.Selects(acc, nil) {
		t.Error("it selects an account that its spec does not select")
	}
}

func TestAnErrorOfTheServerIsToldAndNotRemembered(t *testing.T) {
	srv := newServer(t)
	store := edition.NewStore(home, srv, srv)
	accept(t, store, policy(1, "^edu_"))
	srv.fail = errors.New("the server is away")
	if _, err := store.Of(t.Context(), policy(2, broken)); !errors.Is(err, srv.fail) {
		t.Fatalf("error %v", err)
	}
	if err := store.Keep(t.Context(), policy(2, "^moe_")); !errors.Is(err, srv.fail) {
		t.Errorf("keeping: error %v", err)
	}
	srv.fail = nil
	got, err := store.Of(t.Context(), policy(2, broken))
	if err != nil || got.Generation != 1 {
		t.Errorf("after the server came back: %+v, %v", got, err)
	}
}

func TestKeepWritesOnceAndDropsTheOldest(t *testing.T) {
	srv := newServer(t)
	store := edition.NewStore(home, srv, srv)
	for generation := int64(1); generation <= 13; generation++ {
		accept(t, store, policy(generation, "^edu_"))
	}
	if got, want := srv.kept(t), []int64{4, 5, 6, 7, 8, 9, 10, 11, 12, 13}; !slices.Equal(got, want) {
		t.Errorf("kept %v", got)
	}
	creates := srv.creates
	recorded := policy(13, "^edu_")
	recorded.Status.InForce = &v1alpha1.EditionInForce{Generation: 13}
	accept(t, store, recorded)
	if srv.creates != creates {
		t.Error("an edition that the status records was written again")
	}
	accept(t, store, policy(13, "^edu_"))
	if got := srv.kept(t); len(got) != 10 {
		t.Errorf("an edition that exists already: kept %v", got)
	}
}

func TestAKeptEditionBelongsToItsPolicy(t *testing.T) {
	srv := newServer(t)
	store := edition.NewStore(home, srv, srv)
	accept(t, store, policy(1, "^edu_"))
	var list appsv1.ControllerRevisionList
	if err := srv.Client.List(t.Context(), &list); err != nil {
		t.Fatal(err)
	}
	want := metav1.OwnerReference{APIVersion: "mithaq.dev/v1alpha1", Kind: "GovernancePolicy", Name: "moe-manual", UID: "uid-1"}
	if got := list.Items[0]; got.Namespace != home || got.OwnerReferences[0] != want || got.Labels[edition.LabelPolicy] != "uid-1" || !strings.Contains(string(got.Data.Raw), "^edu_") {
		t.Errorf("got %+v", got)
	}
	other := policy(1, broken)
	other.UID = "uid-2"
	if got, err := store.Of(t.Context(), other); err != nil || got.InForce != nil {
		t.Errorf("a policy of the same name that was made anew inherits %+v, %v", got, err)
	}
}

func TestAForgottenPolicyIsCompiledAnew(t *testing.T) {
	srv := newServer(t)
	store := edition.NewStore(home, srv, srv)
	first, _ := store.Of(t.Context(), policy(1, "^edu_"))
	store.Forget("uid-1")
	again, err := store.Of(t.Context(), policy(1, "^edu_"))
	if err != nil || first.InForce == again.InForce {
		t.Errorf("it was remembered: %v", err)
	}
}

func TestALateCallerDoesNotBringAnOldGenerationBack(t *testing.T) {
	srv := newServer(t)
	store := edition.NewStore(home, srv, srv)
	accept(t, store, policy(2, "^moe_"))
	before, _ := store.Of(t.Context(), policy(2, "^moe_"))
	if old, err := store.Of(t.Context(), policy(1, "^edu_")); err != nil || old.InForce.Version() != "1.0" {
		t.Fatalf("got %+v, %v", old, err)
	}
	if after, _ := store.Of(t.Context(), policy(2, "^moe_")); before.InForce != after.InForce {
		t.Error("generation 2 was compiled again")
	}
}
