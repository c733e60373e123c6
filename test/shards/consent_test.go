package shards

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"regexp"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/hack/platformsim/world"
	"mithaq.dev/mithaq/internal/shard"
)

var authorizeLink = regexp.MustCompile(`href="([^"]+/oauth2/authorize[^"]*)"`)

// consents lets people consent for an account of each shard, all by the same replica:
// what is another's account gets there, once.
func (s *site) consents(three []*process) {
	s.Helper()
	for _, in := range []string{namespace, "edu-0", "edu-1", "edu-2"} {
		s.create(&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "mithaq-custodian", Namespace: in},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "mithaq-custodian"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: "mithaq-controller-manager"}},
		})
	}
	layout, err := shard.NewLayout(shards)
	if err != nil {
		s.Fatal(err)
	}
	var list v1alpha1.SocialAccountList
	if err := s.admin.List(s.Context(), &list); err != nil {
		s.Fatal(err)
	}
	done := map[int]bool{}
	for i := range list.Items {
		acc := &list.Items[i]
		if of := layout.Of(acc.UID); !done[of] && acc.Spec.Owner.Accountable != busy {
			done[of] = true
			s.consent(three, acc)
		}
	}
	if len(done) != shards {
		s.Errorf("people consented for accounts of %d shards", len(done))
	}
}

// consent declares that an account's credential is held, and does what the accountable
// person does.
func (s *site) consent(three []*process, acc *v1alpha1.SocialAccount) {
	s.Helper()
	key := client.ObjectKeyFromObject(acc)
	patch := fmt.Sprintf(`{"spec":{"credentials":{"secretRef":{"name":%q}}}}`, acc.Name)
	if err := s.admin.Patch(s.Context(), acc, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		s.Fatal(err)
	}
	link := ""
	s.until("a consent page of "+acc.Name, patience, func(ctx context.Context) (string, error) {
		if err := s.admin.Get(ctx, key, acc); err != nil {
			return "", err
		}
		h := acc.Status.Handover
		if h == nil || h.ConsentURL == "" {
			return fmt.Sprintf("no consent URL: %+v, %v", h, acc.Status.Conditions), nil
		}
		for _, p := range three {
			status, page := s.page(strings.Replace(h.ConsentURL, s.public, "http://"+p.consents, 1))
			found := authorizeLink.FindStringSubmatch(page)
			if status != http.StatusOK || found == nil {
				return fmt.Sprintf("%s answers %d: %s", p.name, status, page), nil
			}
			link = html.UnescapeString(found[1])
		}
		return "", nil
	})
	live, _ := s.world.AccountByHandle(world.X, acc.Spec.Handle)
	s.world.Choose(world.X, world.Choice{Person: live.ID})
	if status, page := s.page(link); status != http.StatusOK || !strings.Contains(page, "Authorisation received") {
		s.Fatalf("the platform's answer was not taken: %d: %s", status, page)
	}
	s.until("the credential of "+acc.Name, patience, func(ctx context.Context) (string, error) {
		err := s.admin.Get(ctx, key, acc)
		if !meta.IsStatusConditionTrue(acc.Status.Conditions, v1alpha1.ConditionCredentialsHealthy) {
			return fmt.Sprintf("%+v, %v", acc.Status.Handover, conditions(acc.Status.Conditions)), err
		}
		return "", err
	})
}

// page follows a link as a browser does.
func (s *site) page(address string) (status int, body string) {
	s.Helper()
	request, err := http.NewRequestWithContext(s.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		s.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(raw)
}
