package shard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

const (
	testNamespace = "mithaq-system"
	patience      = time.Minute
)

// testTimes are short, but long enough for a busy machine.
var testTimes = Times{Duration: 12 * time.Second, RenewBy: 8 * time.Second, Every: 200 * time.Millisecond}

// site counts who acts for what.
type site struct {
	t      *testing.T
	config *rest.Config

	mu     sync.Mutex
	acting map[string]string // by layout and shard
	// since are what those who began to act were told, in that order.
	since []time.Time
}

// replica is one process.
type replica struct {
	name   string
	crew   *Crew
	cut    atomic.Bool
	cancel context.CancelFunc
	done   chan error
}

func newSite(t *testing.T) *site {
	t.Helper()
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		assets = filepath.Join("..", "..", "bin")
	}
	if _, err := os.Stat(filepath.Join(assets, "kube-apiserver")); err != nil {
		t.Skipf("there is no control plane: run `make controlplane`: %v", err)
	}
	env := &envtest.Environment{BinaryAssetsDirectory: assets, ControlPlaneStartTimeout: 2 * patience}
	cfg, err := env.Start()
	if err != nil {
		t.Fatal(errors.Join(err, env.Stop()))
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Error(err)
		}
	})
	cfg.QPS = -1
	s := &site{t: t, config: cfg, acting: map[string]string{}}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: testNamespace}}
	if _, err := kubernetes.NewForConfigOrDie(cfg).CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	return s
}

// begin starts a replica of n shards.
func (s *site) begin(name string, n int) *replica {
	r := &replica{name: name, done: make(chan error, 1)}
	cfg := rest.CopyConfig(s.config)
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			if r.cut.Load() {
				return nil, errors.New("the network is away")
			}
			return next.RoundTrip(req)
		})
	})
	r.crew = NewCrew(Config{
		Announce: map[string]string{"test/name": name},
		Layout:   Layout{n}, Leases: kubernetes.NewForConfigOrDie(cfg).CoordinationV1(), Namespace: testNamespace, Identity: name,
		Times: testTimes, Clock: clock.RealClock{}, Log: testr.New(s.t).WithName(name),
		Hold: func(ctx context.Context, held Tenure) error { return s.hold(ctx, r, n, held) },
	})
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	go func() {
		err := r.crew.Run(ctx)
		if err != nil {
			s.died(name)
		}
		r.done <- err
	}()
	return r
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// hold notes who acts for a shard, and that nobody else does: of this layout nobody for
// the same, of another layout nobody at all.
func (s *site) hold(ctx context.Context, r *replica, n int, held Tenure) error {
	s.mu.Lock()
	shard := held.Shard
	s.since = append(s.since, held.Since)
	key := fmt.Sprintf("%d/%d", n, shard)
	for other, by := range s.acting {
		var layout, which int
		if _, err := fmt.Sscanf(other, "%d/%d", &layout, &which); err != nil {
			s.t.Error(err)
		}
		if layout != n || which == shard {
			s.t.Errorf("%s acts for shard %d of %d while %s acts for %s", r.name, shard, n, by, other)
		}
	}
	s.acting[key] = r.name
	s.mu.Unlock()
	<-ctx.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.acting[key] == r.name {
		delete(s.acting, key)
	}
	return nil
}

func (s *site) told() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.since)
}

// died is what the end of a process does to all that it did.
func (s *site) died(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, by := range s.acting {
		if by == name {
			delete(s.acting, key)
		}
	}
}

// until waits until each replica acts for so many shards.
func (s *site) until(what string, want map[string]int) {
	s.t.Helper()
	got := map[string]int{}
	err := wait.PollUntilContextTimeout(s.t.Context(), 20*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		clear(got)
		for _, by := range s.acting {
			got[by]++
		}
		return fmt.Sprint(got) == fmt.Sprint(want), nil
	})
	if err != nil {
		s.t.Fatalf("%s: %v acts, want %v", what, got, want)
	}
}

// announced waits until a replica knows what the holder of each shard tells.
func (s *site) announced(r *replica, n int) {
	s.t.Helper()
	got, want := map[string]string{}, map[string]string{}
	err := wait.PollUntilContextTimeout(s.t.Context(), 20*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		clear(got)
		clear(want)
		for i := range n {
			key := fmt.Sprintf("%d/%d", n, i)
			got[key], want[key] = r.crew.Announced(i)["test/name"], s.acting[key]
		}
		return fmt.Sprint(got) == fmt.Sprint(want), nil
	})
	if err != nil {
		s.t.Fatalf("%s sees %v announced, and who acts is %v", r.name, got, want)
	}
}

func (s *site) over(r *replica) error {
	s.t.Helper()
	select {
	case err := <-r.done:
		return err
	case <-time.After(patience):
		s.t.Fatalf("%s did not end", r.name)
		return nil
	}
}

func TestShardsMoveAndAreNeverHeldTwice(t *testing.T) {
	s := newSite(t)
	a := s.begin("a", 3)
	s.until("alone", map[string]int{"a": 3})
	for _, since := range s.told() {
		if !since.IsZero() {
			t.Errorf("the first holder is told of another at %s", since)
		}
	}
	b, c := s.begin("b", 3), s.begin("c", 3)
	s.until("others come", map[string]int{"a": 1, "b": 1, "c": 1})
	s.announced(a, 3)
	s.announced(c, 3)
	if got := a.crew.Announced(3); got != nil {
		t.Errorf("a shard that there is not is announced as %v", got)
	}

	before := len(s.told())
	cut := time.Now()
	b.cut.Store(true)
	if err := s.over(b); !errors.Is(err, ErrLost) {
		t.Errorf("a replica that cannot renew ends with %v", err)
	}
	gone := time.Now()
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.acting) == 3, nil
	})
	if took := time.Since(gone); err != nil || took > testTimes.Duration+2*time.Second {
		t.Errorf("its shard is taken over after %s: %v", took, err)
	}

	since := s.told()[before:]
	if len(since) != 1 || since[0].Before(cut.Add(-testTimes.RenewBy)) || since[0].After(cut.Add(time.Second)) {
		t.Errorf("who takes over is told of %v; the other was cut off at %s", since, cut)
	}

	s.announced(a, 3)

	// Two shards instead of three: the others have to be gone.
	d := s.begin("d", 2)
	a.cancel()
	if err := s.over(a); err != nil {
		t.Errorf("a replica that is told to end ends with %v", err)
	}
	s.until("one is left", map[string]int{"c": 3})
	c.cancel()
	if err := s.over(c); err != nil {
		t.Errorf("a replica that is told to end ends with %v", err)
	}
	s.until("another layout", map[string]int{"d": 2})
	told := s.told()
	for _, since := range told[len(told)-2:] {
		if !since.IsZero() {
			t.Errorf("a holder is told of one of another layout at %s", since)
		}
	}
	d.cancel()
	if err := s.over(d); err != nil {
		t.Errorf("a replica that is told to end ends with %v", err)
	}
}

// What stands still is free, and only then; and who was there alone leaves nothing.
func TestWhatEndsByItselfEndsTheProcess(t *testing.T) {
	s := newSite(t)
	failed := errors.New("the cache is broken")
	crew := NewCrew(Config{
		Layout: Layout{2}, Leases: kubernetes.NewForConfigOrDie(s.config).CoordinationV1(), Namespace: testNamespace, Identity: "a",
		Times: testTimes, Clock: clock.RealClock{}, Log: testr.New(t),
		Hold: func(ctx context.Context, held Tenure) error {
			if held.Shard == 1 {
				return failed
			}
			<-ctx.Done()
			return nil
		},
	})
	if err := crew.Run(t.Context()); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	next := s.begin("b", 2)
	s.until("the next process", map[string]int{"b": 2})
	next.cancel()
	if err := s.over(next); err != nil {
		t.Error(err)
	}
	leases, err := kubernetes.NewForConfigOrDie(s.config).CoordinationV1().Leases(testNamespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range leases.Items {
		if l.Spec.HolderIdentity != nil && *l.Spec.HolderIdentity == "b" {
			t.Errorf("%s is left behind", l.Name)
		}
	}
}
