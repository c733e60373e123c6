package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/rotation"
)

// recorder keeps the API server's watch history of vaults, of accounts and of their
// Secrets. Invariants are checked on it, never on what the operator says of itself.
type recorder struct {
	key []byte

	mu   sync.Mutex
	news *sync.Cond
	of   map[string]*track
	done map[string]bool   // accounts whose history is not kept any more
	last map[string]string // newest resource version by object
	err  error
}

// track is the history of one account.
type track struct {
	vaults   []*rotation.Vault
	sizes    []int
	accounts []*v1alpha1.SocialAccount
	outbox   []string
	deleted  bool
}

// record begins to watch.
func record(ctx context.Context, c *cluster) (*recorder, error) {
	r := &recorder{key: c.key, of: map[string]*track{}, done: map[string]bool{}, last: map[string]string{}}
	r.news = sync.NewCond(&r.mu)
	watcher, err := c.client(c.base)
	if err != nil {
		return nil, err
	}
	for _, w := range []struct {
		list client.ObjectList
		in   string
		take func(watch.Event) error
	}{
		{&corev1.SecretList{}, vaults, r.vault}, {&corev1.SecretList{}, accounts, r.secret}, {&v1alpha1.SocialAccountList{}, accounts, r.account},
	} {
		events, err := watcher.Watch(ctx, w.list, client.InNamespace(w.in))
		if err != nil {
			return nil, fmt.Errorf("watching: %w", err)
		}
		go r.follow(ctx, events, w.take)
	}
	return r, nil
}

func (r *recorder) follow(ctx context.Context, events watch.Interface, take func(watch.Event) error) {
	for e := range events.ResultChan() {
		r.mu.Lock()
		err := errors.New("a watch broke")
		if o, ok := e.Object.(client.Object); ok {
			if err = take(e); err == nil {
				r.last[key(o)] = o.GetResourceVersion()
			}
		}
		if err != nil && ctx.Err() == nil {
			r.err = errors.Join(r.err, err)
		}
		r.news.Broadcast()
		r.mu.Unlock()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() == nil {
		r.err = errors.Join(r.err, errors.New("a watch ended: the history is not whole"))
	}
	r.news.Broadcast()
}

func key(o client.Object) string {
	kind := "account"
	if _, secret := o.(*corev1.Secret); secret {
		kind = "secret"
	}
	return kind + " " + o.GetNamespace() + "/" + o.GetName()
}

// track is made at the first sight; it is kept until it is taken.
func (r *recorder) track(name string) *track {
	if r.done[name] {
		return &track{}
	}
	if r.of[name] == nil {
		r.of[name] = &track{}
	}
	return r.of[name]
}

func (r *recorder) vault(e watch.Event) error {
	s, ok := e.Object.(*corev1.Secret)
	uid, vault := "", false
	if ok {
		uid, vault = strings.CutPrefix(s.Name, "cred-")
	}
	if !vault || e.Type == watch.Deleted {
		return nil
	}
	_, name, ok := strings.Cut(s.Annotations["mithaq.dev/account"], "/")
	if !ok {
		return fmt.Errorf("the vault %s names no account", s.Name)
	}
	v, err := rotation.Decode(uid, s.Data, r.key)
	if err != nil {
		return fmt.Errorf("the vault %s: %w", s.Name, err)
	}
	size := 0
	for _, part := range s.Data {
		size += len(part)
	}
	t := r.track(name)
	t.vaults, t.sizes = append(t.vaults, v), append(t.sizes, size)
	return nil
}

func (r *recorder) secret(e watch.Event) error {
	s, ok := e.Object.(*corev1.Secret)
	if !ok || e.Type == watch.Deleted {
		return nil
	}
	t := r.track(s.Name)
	t.outbox = append(t.outbox, string(s.Data["accessToken"]))
	return nil
}

func (r *recorder) account(e watch.Event) error {
	a, ok := e.Object.(*v1alpha1.SocialAccount)
	if !ok {
		return nil
	}
	t := r.track(a.Name)
	if e.Type == watch.Deleted {
		t.deleted = true
		return nil
	}
	t.accounts = append(t.accounts, a)
	return nil
}

// upTo waits until the history has seen these objects as they are, and returns it.
func (r *recorder) upTo(name string, gone bool, objects ...client.Object) (*track, error) {
	stop := time.AfterFunc(30*time.Second, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.err = errors.Join(r.err, fmt.Errorf("the watch of %s lags by 30 s", name))
		r.news.Broadcast()
	})
	defer stop.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if r.err != nil {
			return nil, r.err
		}
		t, behind := r.track(name), false
		for _, o := range objects {
			behind = behind || o.GetResourceVersion() != "" && r.last[key(o)] != o.GetResourceVersion()
		}
		if !behind && (!gone || t.deleted) {
			return t, nil
		}
		r.news.Wait()
	}
}

// forget drops an account's history.
func (r *recorder) forget(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.of, name)
	r.done[name] = true
}

// shown is everything that a history shows outside of Secrets.
func (t *track) shown() ([]byte, error) { return json.Marshal(t.accounts) }

func vaultName(uid types.UID) string { return "cred-" + string(uid) }
