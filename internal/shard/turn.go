package shard

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// turn looks at all leases once. What the API server does not answer is asked for in the
// next turn, until a lease is lost.
func (c *Crew) turn(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.patience())
	defer cancel()
	if err := c.reap(ctx); err != nil {
		return err
	}
	all, err := c.look(ctx)
	c.told(err)
	if err == nil {
		c.told(c.together(ctx))
	}
	if err := c.renew(ctx, err == nil); err != nil {
		return err
	}
	if err != nil || c.ending || !c.joint.ours() {
		return nil
	}
	c.told(c.watch.look(ctx, all))
	if c.Clock.Now().Before(c.began.Add(2 * c.Times.Every)) {
		return nil // others may be about to say that they are there
	}
	c.divide(ctx)
	return nil
}

// patience is how long a turn may take: a lost lease is to be noticed soon.
func (c *Crew) patience() time.Duration { return max(c.Times.Every, c.Times.RenewBy/8) }

// look sees how all leases are, with one request.
func (c *Crew) look(ctx context.Context) ([]coordinationv1.Lease, error) {
	at := c.Clock.Now()
	list, err := c.Leases.Leases(c.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("looking at the leases: %w", err)
	}
	byName := map[string]*coordinationv1.Lease{}
	for i := range list.Items {
		byName[list.Items[i].Name] = &list.Items[i]
	}
	for _, l := range append([]*lease{c.joint, c.watch.lease}, c.leases...) {
		l.see(byName[l.name], at)
	}
	c.note()
	return list.Items, nil
}

func (c *Crew) told(err error) {
	if err != nil {
		c.Log.V(1).Info("A lease could not be looked at", "reason", err.Error())
	}
}

// together holds the joint lease, with the others of the layout: whoever sees that it is
// due renews it for all.
func (c *Crew) together(ctx context.Context) error {
	if c.joint.ours() {
		c.joint.renewed = c.joint.seenAt
	}
	due := c.joint.ours() && c.Clock.Now().After(c.joint.seenAt.Add(c.Times.Every))
	if due || !c.joint.ours() && c.joint.free() {
		return c.joint.take(ctx)
	}
	return nil
}

// renew renews what this process acts for; all is lost with the joint lease.
func (c *Crew) renew(ctx context.Context, seen bool) error {
	for i, h := range c.shards {
		if h.cancel == nil {
			continue
		}
		if seen && h.ours() {
			c.told(h.take(ctx))
		}
		if !h.ours() || h.lost() {
			return fmt.Errorf("shard %d: %w", i, ErrLost)
		}
		if !c.joint.ours() || c.joint.lost() {
			return fmt.Errorf("all shards: %w", ErrLost)
		}
	}
	return nil
}

// lastActed is when somebody last acted for a shard. What another layout did for its
// accounts its lease does not tell, so that of an earlier reign nothing is known: zero.
func (c *Crew) lastActed(h *held) time.Time {
	at := h.lastRenewed()
	if at.IsZero() || at.UnixMicro() < c.joint.since() {
		return time.Time{}
	}
	return at
}

// divide takes what is this process's due, and gives back what is not.
func (c *Crew) divide(ctx context.Context) {
	due, from, there := c.watch.due(c.Layout.Shards())
	acting := c.acting()
	if !there {
		return
	}
	for n := range c.shards {
		i := (from + n) % len(c.shards)
		if acting >= due {
			break
		}
		h := c.shards[i]
		if h.cancel != nil || !h.free() && !h.ours() {
			continue
		}
		since := c.lastActed(h)
		if err := h.take(ctx); err != nil {
			c.told(err)
			continue
		}
		c.begin(ctx, i, since)
		acting++
	}
	if acting > due && c.watch.settled() {
		c.giveBack()
	}
}
