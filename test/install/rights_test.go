package install

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/controllers/platformconnection"
)

// Where a right holds.
const (
	everywhere = "everywhere" // in every namespace, or for a kind without namespaces
	ownOnly    = "own"        // in mithaq-system alone
)

var (
	read   = []string{"get", "list", "watch"}
	kinds  = []string{"discoveredaccounts", "governancepolicies", "platformconnections", "socialaccounts"}
	groups = []string{"system:serviceaccounts"}
)

// rights are verbs by place and resource.
type rights map[string][]string

// operatorRights is all that the operator may do. Whoever adds a rbac marker adds
// a line here and says why it is needed.
var operatorRights = rights{
	// Accounts and what governs them: it reads specs and writes status. To patch an
	// account itself is for its finalizer, which must come off even while the
	// namespace and every binding in it are being deleted.
	everywhere + " mithaq.dev/socialaccounts":             {"get", "list", "patch", "watch"},
	everywhere + " mithaq.dev/governancepolicies":         read,
	everywhere + " mithaq.dev/platformconnections":        read,
	everywhere + " mithaq.dev/socialaccounts/status":      {"patch"},
	everywhere + " mithaq.dev/governancepolicies/status":  {"patch"},
	everywhere + " mithaq.dev/platformconnections/status": {"patch"},
	// Policies select by the labels of namespaces.
	everywhere + " namespaces": read,
	// Events on what they are about.
	everywhere + " events.k8s.io/events": {"create", "patch"},
	// Who asks for metrics, and whether they may.
	everywhere + " authentication.k8s.io/tokenreviews":        {"create"},
	everywhere + " authorization.k8s.io/subjectaccessreviews": {"create"},
	// App Secrets, accepted editions, the leases, what shards show each other. It makes the Secret of the grants that
	// it rotates; updating that one alone is a right by name, see grants.
	ownOnly + " secrets":                    {"create", "get", "list", "watch"},
	ownOnly + " apps/controllerrevisions":   {"create", "delete", "get", "list"},
	ownOnly + " coordination.k8s.io/leases": {"create", "delete", "get", "list", "patch", "update"},
	ownOnly + " configmaps":                 {"create", "get", "list", "update", "watch"},
	ownOnly + " events":                     {"create", "patch"},
}

func viewerRights() rights {
	out := rights{}
	for _, kind := range kinds {
		out[everywhere+" mithaq.dev/"+kind] = read
	}
	return out
}

func auditorRights() rights {
	out := viewerRights()
	for _, kind := range kinds {
		out[everywhere+" mithaq.dev/"+kind+"/status"] = []string{"get"}
	}
	out[everywhere+" events"] = read
	out[everywhere+" events.k8s.io/events"] = read
	return out
}

var editorRights = rights{
	everywhere + " mithaq.dev/socialaccounts": {"create", "delete", "get", "list", "patch", "update", "watch"},
}

// rights asks the API server, for every resource and verb that it serves, who
// may. The lists above are complete: what is not in them is denied.
func (s *server) rights(t *testing.T) {
	for role, want := range map[string]rights{
		"mithaq-viewer": viewerRights(), "mithaq-editor": editorRights, "mithaq-auditor": auditorRights(),
		"mithaq-custodian": {everywhere + " secrets": {"create", "get", "patch", "update"}}, "mithaq-metrics-reader": {},
	} {
		t.Run(role, func(t *testing.T) { s.mayExactly(t, s.bind(t, role), want) })
	}
	t.Run("operator", func(t *testing.T) {
		s.awaitRole(t, operator, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "mithaq-manager"}})
		s.awaitRole(t, operator, &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "mithaq-manager"}})
		s.mayExactly(t, operator, operatorRights)
	})
	t.Run("denied", func(t *testing.T) { s.denied(t) })
	t.Run("grants", func(t *testing.T) { s.grants(t) })
	t.Run("metrics", func(t *testing.T) { s.metrics(t) })
	t.Run("aggregation", func(t *testing.T) { s.aggregation(t) })
}

// bind gives a role of ours to somebody, in the whole cluster.
func (s *server) bind(t *testing.T, role string) (user string) {
	t.Helper()
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: "user-of-" + role}},
	}
	if err := s.client.Create(ctx(t), binding); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.client.Delete(context.WithoutCancel(t.Context()), binding); client.IgnoreNotFound(err) != nil {
			t.Errorf("deleting %s: %v", binding.Name, err)
		}
	})
	user = binding.Subjects[0].Name
	s.awaitRole(t, user, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: role}})
	return user
}

// awaitRole waits until the API server's authorizer knows of a role and of who
// has it: from then on its answers are those of the whole role.
func (s *server) awaitRole(t *testing.T, user string, role client.Object) {
	t.Helper()
	if err := s.client.Get(ctx(t), client.ObjectKeyFromObject(role), role); err != nil {
		t.Fatal(err)
	}
	rules := []rbacv1.PolicyRule(nil)
	switch role := role.(type) {
	case *rbacv1.ClusterRole:
		rules = role.Rules
	case *rbacv1.Role:
		rules = role.Rules
	}
	for _, rule := range rules {
		spec := authorizationv1.SubjectAccessReviewSpec{}
		if len(rule.NonResourceURLs) > 0 {
			spec.NonResourceAttributes = &authorizationv1.NonResourceAttributes{Path: rule.NonResourceURLs[0], Verb: rule.Verbs[0]}
		} else {
			resource, sub, _ := strings.Cut(rule.Resources[0], "/")
			spec.ResourceAttributes = &authorizationv1.ResourceAttributes{
				Namespace: role.GetNamespace(), Verb: rule.Verbs[0], Group: rule.APIGroups[0], Resource: resource, Subresource: sub,
			}
			if len(rule.ResourceNames) > 0 {
				spec.ResourceAttributes.Name = rule.ResourceNames[0]
			}
		}
		s.eventually(t, "the authorizer knows of "+role.GetName(), func() error {
			allowed, err := s.review(t, user, spec)
			if err == nil && !allowed {
				err = fmt.Errorf("%s may not %v", user, rule)
			}
			return err
		})
	}
}

func (s *server) mayExactly(t *testing.T, user string, want rights) {
	t.Helper()
	got, err := s.all(t, user)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: meant (-), granted (+):\n%s", user, diff)
	}
}

// all is everything that a user may do beyond what every user may.
func (s *server) all(t *testing.T, user string) (rights, error) {
	t.Helper()
	served, err := s.served()
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	out, failed := rights{}, []error(nil)
	slots := make(chan struct{}, 16)
	for _, question := range served {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			place, err := s.where(t, user, question)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = append(failed, err)
			}
			if place != "" {
				key := place + " " + question.name()
				out[key] = append(out[key], question.verb)
			}
		})
	}
	wg.Wait()
	for _, verbs := range out {
		slices.Sort(verbs)
	}
	if len(failed) > 0 {
		return nil, failed[0]
	}
	return out, nil
}

// question is a verb on a resource.
type question struct {
	group, resource, subresource, verb string
	namespaced                         bool
}

func (q question) name() string {
	name := q.resource
	if q.group != "" {
		name = q.group + "/" + name
	}
	if q.subresource != "" {
		name += "/" + q.subresource
	}
	return name
}

// served is every verb on every resource, and the verbs that are only rights.
func (s *server) served() ([]question, error) {
	client, err := discovery.NewDiscoveryClientForConfig(s.config)
	if err != nil {
		return nil, err
	}
	_, lists, err := client.ServerGroupsAndResources()
	if err != nil {
		return nil, err
	}
	out := []question{
		{resource: "users", verb: "impersonate"}, {resource: "groups", verb: "impersonate"},
		{resource: "serviceaccounts", verb: "impersonate", namespaced: true},
		{group: rbacv1.GroupName, resource: "clusterroles", verb: "escalate"}, {group: rbacv1.GroupName, resource: "clusterroles", verb: "bind"},
		{group: rbacv1.GroupName, resource: "roles", verb: "escalate", namespaced: true}, {group: rbacv1.GroupName, resource: "roles", verb: "bind", namespaced: true},
	}
	seen := map[string]bool{}
	for _, list := range lists {
		group, _, found := strings.Cut(list.GroupVersion, "/")
		if !found {
			group = ""
		}
		for _, r := range list.APIResources {
			resource, sub, _ := strings.Cut(r.Name, "/")
			for _, verb := range r.Verbs {
				q := question{group, resource, sub, verb, r.Namespaced}
				// A group may serve a resource in several versions.
				if key := q.name() + " " + verb; !seen[key] {
					seen[key] = true
					out = append(out, q)
				}
			}
		}
	}
	return out, nil
}

// where says in which places a user may do something that an ordinary service
// account may not.
func (s *server) where(t *testing.T, user string, q question) (string, error) {
	t.Helper()
	if !q.namespaced {
		allowed, err := s.may(t, user, q, "")
		if err != nil || !allowed {
			return "", err
		}
		common, err := s.may(t, "system:serviceaccount:"+tenant+":default", q, "")
		if err != nil || common {
			return "", err
		}
		return everywhere, nil
	}
	own, err := s.may(t, user, q, namespace)
	if err != nil {
		return "", err
	}
	other, err := s.may(t, user, q, tenant)
	switch {
	case err != nil:
		return "", err
	case own && other:
		return everywhere, nil
	case own:
		return ownOnly, nil
	case other:
		return "only elsewhere", nil
	}
	return "", nil
}

func (s *server) may(t *testing.T, user string, q question, in string) (bool, error) {
	t.Helper()
	return s.review(t, user, authorizationv1.SubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
		Namespace: in, Verb: q.verb, Group: q.group, Version: "*", Resource: q.resource, Subresource: q.subresource,
	}})
}

func (s *server) review(t *testing.T, user string, spec authorizationv1.SubjectAccessReviewSpec) (bool, error) {
	t.Helper()
	spec.User, spec.Groups = user, []string{"system:authenticated"}
	if in, found := strings.CutPrefix(user, "system:serviceaccount:"); found {
		in, _, _ = strings.Cut(in, ":")
		spec.Groups = append(spec.Groups, append(groups, "system:serviceaccounts:"+in)...)
	}
	review := &authorizationv1.SubjectAccessReview{Spec: spec}
	if err := s.client.Create(ctx(t), review); err != nil {
		return false, fmt.Errorf("asking for the rights of %s: %w", user, err)
	}
	return review.Status.Allowed, nil
}

// grants: of all Secrets the operator updates that of the grants which it rotates.
func (s *server) grants(t *testing.T) {
	for _, c := range []struct {
		namespace, name, verb string
		want                  bool
	}{
		{namespace, platformconnection.GrantsSecret, "update", true},
		{namespace, platformconnection.GrantsSecret, "patch", false},
		{namespace, platformconnection.GrantsSecret, "delete", false},
		{namespace, "x-app", "update", false},
		{namespace, "x-app", "delete", false},
		{tenant, platformconnection.GrantsSecret, "get", false},
		{tenant, platformconnection.GrantsSecret, "update", false},
		{tenant, platformconnection.GrantsSecret, "create", false},
	} {
		allowed, err := s.review(t, operator, authorizationv1.SubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: c.namespace, Name: c.name, Verb: c.verb, Resource: "secrets",
		}})
		if err != nil {
			t.Fatal(err)
		}
		if allowed != c.want {
			t.Errorf("%s Secret %s/%s: allowed %v", c.verb, c.namespace, c.name, allowed)
		}
	}
}

// denied names, for the reader, what matters most among what is not granted.
func (s *server) denied(t *testing.T) {
	for why, c := range map[string]struct {
		question
		in string
	}{
		"read a tenant's Secrets":              {question{resource: "secrets", verb: "get"}, tenant},
		"list all Secrets":                     {question{resource: "secrets", verb: "list"}, ""},
		"write a tenant's Secret":              {question{resource: "secrets", verb: "patch"}, tenant},
		"delete a vault":                       {question{resource: "secrets", verb: "delete"}, namespace},
		"update any Secret, even its own":      {question{resource: "secrets", verb: "update"}, namespace},
		"change what GitOps declared":          {question{group: v1alpha1.SchemeGroupVersion.Group, resource: "socialaccounts", verb: "update"}, tenant},
		"delete an account":                    {question{group: v1alpha1.SchemeGroupVersion.Group, resource: "socialaccounts", verb: "delete"}, tenant},
		"relax a policy":                       {question{group: v1alpha1.SchemeGroupVersion.Group, resource: "governancepolicies", verb: "update"}, ""},
		"point itself elsewhere":               {question{group: v1alpha1.SchemeGroupVersion.Group, resource: "platformconnections", verb: "patch"}, ""},
		"read nodes":                           {question{resource: "nodes", verb: "list"}, ""},
		"create roles":                         {question{group: rbacv1.GroupName, resource: "roles", verb: "create"}, namespace},
		"bind itself to more":                  {question{group: rbacv1.GroupName, resource: "clusterrolebindings", verb: "create"}, ""},
		"become somebody else":                 {question{resource: "users", verb: "impersonate"}, ""},
		"run a command in a pod":               {question{resource: "pods", subresource: "exec", verb: "create"}, namespace},
		"start a pod":                          {question{resource: "pods", verb: "create"}, namespace},
		"change a label of a namespace":        {question{resource: "namespaces", verb: "patch"}, ""},
		"hold a lease of somebody else":        {question{group: "coordination.k8s.io", resource: "leases", verb: "update"}, "kube-system"},
		"ask for a token of a service account": {question{resource: "serviceaccounts", subresource: "token", verb: "create"}, namespace},
		"change the kinds":                     {question{group: "apiextensions.k8s.io", resource: "customresourcedefinitions", verb: "update"}, ""},
		"delete the evidence of what happened": {question{group: "events.k8s.io", resource: "events", verb: "delete"}, tenant},
	} {
		allowed, err := s.may(t, operator, c.question, c.in)
		if err != nil {
			t.Fatal(err)
		}
		if allowed {
			t.Errorf("the operator may %s", why)
		}
	}
}

// metrics are for those who were given the role.
func (s *server) metrics(t *testing.T) {
	reader := s.bind(t, "mithaq-metrics-reader")
	scrape := authorizationv1.SubjectAccessReviewSpec{NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: "/metrics", Verb: "get"}}
	if allowed, err := s.review(t, reader, scrape); err != nil || !allowed {
		t.Errorf("the reader may scrape: %v, %v", allowed, err)
	}
	for _, user := range []string{operator, "system:serviceaccount:" + tenant + ":default"} {
		if allowed, err := s.review(t, user, scrape); err != nil || allowed {
			t.Errorf("%s may scrape: %v, %v", user, allowed, err)
		}
	}
}

// aggregation: the controller that merges roles does not run here, so this
// compares our labels with what the server's own roles select.
func (s *server) aggregation(t *testing.T) {
	for into, want := range map[string][]string{
		"view": {"mithaq-viewer"}, "edit": {"mithaq-editor"}, "admin": {"mithaq-editor"},
	} {
		var role rbacv1.ClusterRole
		if err := s.client.Get(ctx(t), client.ObjectKey{Name: into}, &role); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, selector := range role.AggregationRule.ClusterRoleSelectors {
			var selected rbacv1.ClusterRoleList
			if err := s.client.List(ctx(t), &selected, client.MatchingLabels(selector.MatchLabels)); err != nil {
				t.Fatal(err)
			}
			for _, r := range selected.Items {
				if strings.HasPrefix(r.Name, "mithaq") {
					got = append(got, r.Name)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("roles of ours in %s: want (-), got (+):\n%s", into, diff)
		}
	}
}
