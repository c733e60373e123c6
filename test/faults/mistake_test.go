package faults

import (
	"context"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/controllers/handover"
	"mithaq.dev/mithaq/internal/custody"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/rotation"
)

// mistake is a bug that somebody might write, put around the ports of the handover.
type mistake struct {
	name string
	// on, in and the fault say in which plan it shows.
	on, in string
	where  where
	nth    int
	fault  fault
	wire   func(*play, *handover.Config)
}

// performs puts something around every call.
func performs(around func(p *play, ctx context.Context, j custody.Job, call func() rotation.Outcome) rotation.Outcome) func(*play, *handover.Config) {
	return func(p *play, cfg *handover.Config) {
		cfg.Perform = func(ctx context.Context, j custody.Job) rotation.Outcome {
			return around(p, ctx, j, func() rotation.Outcome { return p.perform(ctx, j) })
		}
	}
}

// stores puts something between the handover and the vaults that it stores: false
// stores nothing.
func stores(change func(p *play, v *rotation.Vault) bool) func(*play, *handover.Config) {
	return func(p *play, cfg *handover.Config) {
		update := func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			if changed, write := p.rewrite(o, func(v *rotation.Vault) bool { return change(p, v) }); !write {
				return nil
			} else if changed {
				live := &corev1.Secret{}
				if err := c.Get(ctx, client.ObjectKeyFromObject(o), live); err != nil {
					return err
				}
			}
			return c.Update(ctx, o, opts...)
		}
		cfg.Keeper = &custody.Keeper{Namespace: vaults, Client: interceptor.NewClient(cfg.Secrets.(client.WithWatch), interceptor.Funcs{Update: update})}
	}
}

// rewrite changes a vault within its Secret.
func (p *play) rewrite(o client.Object, change func(*rotation.Vault) bool) (changed, write bool) {
	secret, ok := o.(*corev1.Secret)
	if !ok || secret.Name != vaultName(p.acc.UID) || !p.armed {
		return false, true
	}
	v, err := rotation.Decode(string(p.acc.UID), secret.Data, p.c.key)
	if err != nil {
		return false, true
	}
	if !change(v) {
		return false, false
	}
	data, err := rotation.Encode(v, p.c.key)
	if err != nil {
		panic(err) // it was decoded before
	}
	secret.Data = data
	return true, true
}

// loads puts something between the vaults and the handover that reads them.
func loads(change func(p *play, secret *corev1.Secret), blind bool) func(*play, *handover.Config) {
	return func(p *play, cfg *handover.Config) {
		funcs := interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			err := c.Get(ctx, key, o, opts...)
			if secret, ok := o.(*corev1.Secret); ok && err == nil && key.Name == vaultName(p.acc.UID) && p.armed {
				change(p, secret)
			}
			return err
		}}
		if blind {
			funcs.Update = func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
				live := &corev1.Secret{}
				if err := c.Get(ctx, client.ObjectKeyFromObject(o), live); err != nil {
					return err
				}
				o.SetResourceVersion(live.ResourceVersion)
				return c.Update(ctx, o, opts...)
			}
		}
		cfg.Keeper = &custody.Keeper{Namespace: vaults, Client: interceptor.NewClient(cfg.Secrets.(client.WithWatch), funcs)}
	}
}

// treatedAsAbsent takes a vault that cannot be read for one that is not there, and what is
// not there is made, whatever is there.
func treatedAsAbsent(p *play, cfg *handover.Config) {
	cfg.Keeper = &custody.Keeper{Namespace: vaults, Client: interceptor.NewClient(cfg.Secrets.(client.WithWatch), interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			err := c.Get(ctx, key, o, opts...)
			if err != nil && key.Name == vaultName(p.acc.UID) {
				return apierrors.NewNotFound(corev1.Resource("secrets"), key.Name)
			}
			return err
		},
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			err := c.Create(ctx, o, opts...)
			if !apierrors.IsAlreadyExists(err) || o.GetName() != vaultName(p.acc.UID) {
				return err
			}
			live := &corev1.Secret{}
			if err := c.Get(ctx, client.ObjectKeyFromObject(o), live); err != nil {
				return err
			}
			o.SetResourceVersion(live.ResourceVersion)
			return c.Update(ctx, o)
		},
	})}
}

func isOp(j custody.Job, names ...rotation.OpName) bool {
	return j.Call.Op != nil && slices.Contains(names, j.Call.Op.Name)
}

func isProbe(j custody.Job) bool {
	return j.Call.Kind == rotation.CallProbe && j.Call.Slot == rotation.SlotRetiring
}

var dead = rotation.Outcome{Kind: rotation.Done, Liveness: rotation.Dead}

func mistakes() []mistake {
	type around = func(p *play, ctx context.Context, j custody.Job, call func() rotation.Outcome) rotation.Outcome
	twice := func(names ...rotation.OpName) around {
		return func(_ *play, _ context.Context, j custody.Job, call func() rotation.Outcome) rotation.Outcome {
			o := call()
			if isOp(j, names...) {
				_ = call()
			}
			return o
		}
	}
	return []mistake{
		{name: "the old credential is revoked before the new one is in use", wire: performs(func(p *play, ctx context.Context, j custody.Job, call func() rotation.Outcome) rotation.Outcome {
			if j.Call.Kind == rotation.CallIdentify && p.armed {
				s := j.Vault.Current
				if err := j.App.Client.Revoke.Revoke(ctx, platform.Grant{Access: s.Access, Refresh: s.Refresh}, platform.RevokeGrant); err != nil {
					return rotation.Outcome{Kind: rotation.Unavailable}
				}
			}
			return call()
		})},
		{name: "no intent is stored", wire: stores(func(_ *play, v *rotation.Vault) bool { return v.Journal.Op == nil })},
		{name: "a product is used before it is stored", wire: performs(func(p *play, ctx context.Context, j custody.Job, call func() rotation.Outcome) rotation.Outcome {
			o := call()
			if isOp(j, rotation.OpIssue) && o.Product != nil && p.armed {
				if _, err := j.App.Client.Identify.Identify(ctx, o.Product.Access, j.Ref); err != nil {
					return rotation.Outcome{Kind: rotation.Ambiguous}
				}
			}
			return o
		})},
		{name: "the vault is read from a cache and written blindly", wire: func(p *play, cfg *handover.Config) {
			var seen []*corev1.Secret
			loads(func(_ *play, secret *corev1.Secret) {
				seen = append(seen, secret.DeepCopy())
				seen[max(len(seen)-2, 0)].DeepCopyInto(secret)
			}, true)(p, cfg)
		}},
		{name: "a code is sent again", wire: performs(twice(rotation.OpIssue))},
		{name: "another account is accepted", where: atConsent, nth: 1, fault: wrongHolder, wire: performs(func(p *play, _ context.Context, j custody.Job, call func() rotation.Outcome) rotation.Outcome {
			o := call()
			if j.Call.Kind == rotation.CallIdentify || j.Call.Kind == rotation.CallProbe {
				o.Identity.AccountID = p.at.id
			}
			return o
		})},
		{name: "a 200 is taken as proof", wire: performs(func(p *play, _ context.Context, j custody.Job, call func() rotation.Outcome) rotation.Outcome {
			p.deaf = p.armed
			o := call()
			if isProbe(j) {
				return dead
			}
			return o
		})},
		{name: "the old slot is wiped early", wire: stores(func(_ *play, v *rotation.Vault) bool {
			if v.Journal.Phase == rotation.Overlap {
				v.Retiring = nil
			}
			return true
		})},
		{name: "a refresh token is sent twice", in: "consent delayed", wire: performs(twice(rotation.OpRefresh))},
		{name: "a grant is missing in the ledger", wire: stores(func(_ *play, v *rotation.Vault) bool {
			if len(v.Ledger) > 1 {
				v.Ledger = v.Ledger[:1]
			}
			return true
		})},
		{name: "the overlap with the same app is ignored", wire: func(p *play, cfg *handover.Config) {
			app := p.open(rotation.Primary)
			app.Adapter.Custody.Reach = platform.ReachToken
			cfg.Apps = custody.NewApps()
			cfg.Apps.Set(connectionOf(v1alpha1.PlatformName(p.site.on)), map[rotation.App]custody.App{rotation.Primary: app})
		}},
		{name: "it is settled without a probe", wire: performs(func(_ *play, _ context.Context, j custody.Job, call func() rotation.Outcome) rotation.Outcome {
			if isProbe(j) {
				return dead
			}
			return call()
		})},
		{name: "an open operation is simply done again", on: "Facebook, system user", where: atCall, nth: 1, fault: crashAfter, wire: loads(func(p *play, secret *corev1.Secret) {
			p.rewrite(secret, func(v *rotation.Vault) bool {
				v.Journal.Op = nil
				return true
			})
		}, false)},
		{name: "a token goes to another host", wire: func(p *play, cfg *handover.Config) {
			to, err := url.Parse(p.server.URL)
			if err != nil {
				panic(err) // httptest made it
			}
			elsewhere := httptest.NewServer(httputil.NewSingleHostReverseProxy(to))
			p.more = append(p.more, elsewhere.Close)
			cfg.Apps = custody.NewApps()
			cfg.Apps.Set(connectionOf(v1alpha1.PlatformName(p.site.on)), map[rotation.App]custody.App{
				rotation.Primary: p.openAt(rotation.Primary, elsewhere.URL), rotation.Alternate: p.openAt(rotation.Alternate, elsewhere.URL),
			})
		}},
		{name: "the status is not written", wire: func(p *play, cfg *handover.Config) {
			cfg.Client = interceptor.NewClient(cfg.Client.(client.WithWatch), interceptor.Funcs{
				SubResourceApply: func(ctx context.Context, c client.Client, sub string, o runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
					if p.armed {
						return nil
					}
					return c.SubResource(sub).Apply(ctx, o, opts...)
				},
			})
		}},
		{name: "an unreadable vault is treated as absent", where: atRead, nth: 3, fault: broken, wire: treatedAsAbsent},
		{name: "a removal is not sent", on: "Facebook, system user", wire: performs(func(_ *play, _ context.Context, j custody.Job, call func() rotation.Outcome) rotation.Outcome {
			if j.Call.Kind == rotation.CallPeople {
				return rotation.Outcome{Kind: rotation.Done}
			}
			return call()
		})},
	}
}

// The check of the check: every mistake is caught by an invariant.
func TestTheSweepCatchesSeededMistakes(t *testing.T) {
	if len(mistakes()) < 12 {
		t.Errorf("%d mistakes, want at least 12", len(mistakes()))
	}
	var all []plan
	for _, m := range mistakes() {
		pl := m.plan()
		pl.mistake = &m
		all = append(all, pl)
	}
	for i, p := range playAll(t, all) {
		shared.result.Seeded++
		switch m := all[i].mistake; {
		case p == nil:
		case len(p.violations) == 0:
			t.Errorf("not caught: %s (%s)", m.name, p.summary())
		default:
			shared.result.SeededCaught++
			t.Logf("%s: %s", m.name, p.violations[0])
		}
	}
}

// plan is the one in which a mistake shows.
func (m *mistake) plan() plan {
	pl := plan{where: m.where, nth: m.nth, fault: m.fault}
	for _, on := range sites() {
		if on.name == m.on || m.on == "" && on.name == "X" {
			pl.site = on
		}
	}
	for _, s := range scenarios() {
		if s.name == m.in || m.in == "" && s.name == "planned" {
			pl.scenario = s
		}
	}
	return pl
}

// Without the mistake the same plans hold: what is caught is the mistake.
func TestWithoutTheMistakeNothingIsCaught(t *testing.T) {
	var all []plan
	for _, m := range mistakes() {
		if m.where != nowhere {
			all = append(all, m.plan())
		}
	}
	playAll(t, all) // it tells of every violation
}
