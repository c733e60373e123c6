// Command naive is the controller that one would write first, for comparison: it polls
// each account by itself, and writes what it saw each time. It judges nothing.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func main() {
	endpoint := flag.String("x", "", "address of X's API")
	token := flag.String("token", "", "bearer of the app")
	every := flag.Duration("every", 30*time.Second, "interval between two looks at an account")
	label := flag.String("label", "", "only accounts that have this label")
	workers := flag.Int("workers", 16, "accounts reconciled at a time")
	flag.Parse()
	ctrl.SetLogger(zap.New())
	if err := run(ctrl.SetupSignalHandler(), &poller{endpoint: *endpoint, token: *token, every: *every}, *label, *workers); err != nil {
		fmt.Fprintln(os.Stderr, "naive:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, p *poller, label string, workers int) error {
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		return err
	}
	selector, err := labels.Parse(label)
	if err != nil {
		return fmt.Errorf("reading the label: %w", err)
	}
	cfg, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	cfg.QPS = -1
	mgr, err := ctrl.NewManager(cfg, manager.Options{
		Scheme: s, Metrics: metricsserver.Options{BindAddress: "0"},
		Cache: cache.Options{ByObject: map[client.Object]cache.ByObject{&v1alpha1.SocialAccount{}: {Label: selector}}},
	})
	if err != nil {
		return err
	}
	p.client = mgr.GetClient()
	if err := ctrl.NewControllerManagedBy(mgr).Named("naive").
		For(&v1alpha1.SocialAccount{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).Complete(p); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// poller reconciles by asking.
type poller struct {
	client          client.Client
	endpoint, token string
	every           time.Duration
}

// profile is what X shows of a user.
type profile struct {
	Data struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		Username string `json:"username"`
		Metrics  struct {
			Followers int64 `json:"followers_count"`
		} `json:"public_metrics"`
	} `json:"data"`
}

// Reconcile asks for one account and writes its status.
func (p *poller) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	acc := &v1alpha1.SocialAccount{}
	if err := p.client.Get(ctx, req.NamespacedName, acc); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	seen, err := p.ask(ctx, acc.Spec.AccountID)
	if err != nil {
		return ctrl.Result{}, err
	}
	if acc.Status.Profile == nil {
		acc.Status.Profile = &v1alpha1.LiveProfile{}
	}
	live := acc.Status.Profile
	live.Handle, live.DisplayName, live.State = seen.Data.Username, seen.Data.Name, v1alpha1.StateActive
	live.Followers, live.ObservedAt = ptr.To(seen.Data.Metrics.Followers), ptr.To(metav1.Now())
	meta.SetStatusCondition(&acc.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionObserved, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonFresh, ObservedGeneration: acc.Generation,
	})
	if err := p.client.Status().Update(ctx, acc); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: p.every}, nil
}

func (p *poller) ask(ctx context.Context, id string) (profile, error) {
	var out profile
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.endpoint+"/2/users/"+id+"?user.fields=public_metrics,description,verified,url", http.NoBody)
	if err != nil {
		return out, err
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return out, err
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		return out, err
	}
	if answer.StatusCode != http.StatusOK {
		return out, fmt.Errorf("the platform answered %s", answer.Status)
	}
	return out, json.Unmarshal(raw, &out)
}
