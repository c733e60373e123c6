package faults

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/rotation"
)

// scenario is what happens to the account.
type scenario struct {
	name   string
	change func(*play) error
	// delay is how long people take to consent; never: they do not.
	delay time.Duration
	never bool
	// slow is how long people take to give their word.
	slow time.Duration
	// amid is the phase in which the account is deleted.
	amid rotation.Phase
	// gap: the account may be without a credential; deletes: it is deleted.
	gap, deletes bool
	// leaves are those who lose access.
	leaves []string
	// oneApp: there is no second app.
	oneApp bool
}

func scenarios() []scenario {
	moves := func(p *play) error {
		return p.edit(func(a *v1alpha1.SocialAccount) { a.Spec.Owner.Accountable = successor })
	}
	return []scenario{
		{name: "planned", change: moves, leaves: []string{former}},
		{name: "compromised", change: func(p *play) error {
			now := metav1.NewTime(p.clock.Now())
			return p.edit(func(a *v1alpha1.SocialAccount) { a.Spec.Credentials.Compromised = &now })
		}},
		{name: "consent delayed", change: moves, leaves: []string{former}, delay: 80 * time.Minute},
		{name: "deletion", deletes: true, change: func(p *play) error { return p.c.admin.Delete(p.ctx, p.acc) }},
		{name: "deletion amid a handover", deletes: true, change: moves, amid: rotation.Overlap},
		{name: "slow people", change: moves, leaves: []string{former}, slow: 3 * time.Hour},
		{name: "one app, gap allowed", leaves: []string{former}, oneApp: true, gap: true, change: func(p *play) error {
			return p.edit(func(a *v1alpha1.SocialAccount) {
				a.Spec.Owner.Accountable, a.Spec.Credentials.AllowGap = successor, ptr.To(true)
			})
		}},
		{name: "member removed", leaves: []string{leaver}, change: func(p *play) error {
			return p.edit(func(a *v1alpha1.SocialAccount) {
				a.Spec.Team = []v1alpha1.TeamMember{{Person: stays, Roles: []v1alpha1.Role{v1alpha1.RoleManager}}}
			})
		}},
	}
}

// perform plays a plan from the account's first credential to its end, and returns
// what it violated.
func perform(ctx context.Context, c *cluster, pl plan) (p *play, err error) {
	if p, err = newPlay(ctx, c, pl); err != nil {
		return nil, err
	}
	defer func() {
		if errClose := p.close(); err == nil {
			err = errClose
		}
		p.forget()
	}()
	if err := p.first(); err != nil {
		return p, fmt.Errorf("%s: the first credential: %w", pl, err)
	}
	if err := p.trigger(); err != nil {
		return p, fmt.Errorf("%s: %w", pl, err)
	}
	if err := p.run(p.over); err != nil {
		return p, fmt.Errorf("%s: %w", pl, err)
	}
	return p, p.judge()
}

// first has the account's first credential settled, without a fault.
func (p *play) first() error {
	err := p.run(func(acc *v1alpha1.SocialAccount, v *rotation.Vault) bool { return p.settled(acc, v, 1) })
	if err == nil && len(p.violations) > 0 {
		err = fmt.Errorf("%v", p.violations)
	}
	return err
}

func (p *play) trigger() error {
	p.clock.Step(time.Minute)
	p.base, p.began, p.armed = 1, p.clock.Now(), true
	p.mutating, p.effects = 0, nil
	if p.mistake != nil {
		p.start()
	}
	return p.scenario.change(p)
}

// settled says that so many rotations are complete, and that the status says so.
func (p *play) settled(acc *v1alpha1.SocialAccount, v *rotation.Vault, rotations int64) bool {
	if acc == nil || v == nil || v.Journal.Phase != rotation.Idle || v.Journal.Rotations < rotations || v.Journal.Op != nil {
		return false
	}
	c := acc.Status.Credentials
	return c != nil && c.RotationsTotal != nil && *c.RotationsTotal == v.Journal.Rotations && acc.Status.Handover == nil &&
		v.Journal.Published == rotation.Fingerprinter(p.c.key)(v.Current.Access) && !v.Journal.CheckedAt.IsZero()
}

// over says that the plan's end is reached.
func (p *play) over(acc *v1alpha1.SocialAccount, v *rotation.Vault) bool {
	if p.scenario.deletes {
		return acc == nil
	}
	return p.settled(acc, v, p.base+1)
}

// judge holds everything that was recorded against the invariants.
func (p *play) judge() error {
	acc, v, objects, err := p.load()
	if err != nil {
		return err
	}
	t, err := p.c.history.upTo(p.acc.Name, acc == nil, objects...)
	if err != nil {
		return err
	}
	p.checkHistory(t)
	p.checkLedger()
	p.checkSilence(t)
	if p.over(acc, v) {
		p.checkEnd(acc, v, t)
		return p.checkRest(acc)
	}
	return nil
}

// checkRest is I9: once at rest, a pass writes and sends nothing.
func (p *play) checkRest(acc *v1alpha1.SocialAccount) error {
	if acc == nil {
		return nil
	}
	p.resting = true
	for range 2 {
		writes, calls := p.writes, p.calls
		if _, crashed, err := p.reconcile(); err != nil || crashed {
			return fmt.Errorf("at rest: %w", err)
		}
		if p.writes > writes || p.calls > calls {
			p.violated("I9: %d writes and %d calls at rest: %v", p.writes-writes, p.calls-calls, p.effects[len(p.effects)-1])
		}
	}
	return nil
}
