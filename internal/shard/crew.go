package shard

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/utils/clock"
)

// ErrLost says that a lease may be somebody else's by now. Whoever gets it ends at once.
var ErrLost = errors.New("a lease was not renewed in time")

// The names of the leases.
const (
	// JointLease is the lease of a single process that acts for all accounts. Here all
	// processes of one layout hold it together, so that neither a single process nor
	// processes of another layout, which would divide the accounts differently, ever act
	// beside them.
	JointLease = "mithaq.mithaq.dev"
	// labelCrew marks the leases that say who is there, with the layout.
	labelCrew = "mithaq.dev/crew"
)

// LeaseName is the lease of a shard.
func LeaseName(shard int) string { return fmt.Sprintf("mithaq-shard-%d", shard) }

// Config is what a Crew works with.
type Config struct {
	Layout    Layout
	Leases    coordination.LeasesGetter
	Namespace string
	// Identity names this process, unlike any other.
	Identity string
	// Announce is what this process's leases of shards tell the others, as annotations.
	Announce map[string]string
	Times    Times
	Clock    clock.WithTicker
	Log      logr.Logger
	// Hold acts for a shard until its context ends, and returns when nothing of it is
	// under way any more.
	Hold func(ctx context.Context, t Tenure) error
}

// Tenure is the time in which a process acts for a shard.
type Tenure struct {
	Shard int
	// Epoch is the reign of the layout: it differs after every time in which a single
	// process or another layout acted.
	Epoch int64
	// Since is when the holder before this process last said that it acts, by that one's
	// clock; zero: nobody did in this reign.
	Since time.Time
}

// Crew holds this process's share of the shards, and lets others have theirs. Each
// process takes as many shards as are its due; who was there alone gives some back when
// others come, and takes what others leave when they are gone for the length of a lease.
type Crew struct {
	Config
	joint  *lease
	watch  *presence
	shards []*held
	leases []*lease
	began  time.Time
	ending bool
	// announced is what the holders tell, by shard, as of the last look.
	announced atomic.Pointer[[]map[string]string]
}

// Announced is what the present holder of a shard tells, as far as this process has seen
// within the last turns; nil: nobody holds it. It is safe for concurrent use.
func (c *Crew) Announced(shard int) map[string]string {
	all := c.announced.Load()
	if all == nil || shard < 0 || shard >= len(*all) {
		return nil
	}
	return (*all)[shard]
}

// note keeps what the holders tell.
func (c *Crew) note() {
	all := make([]map[string]string, len(c.leases))
	for i, l := range c.leases {
		if !l.free() {
			all[i] = l.object.Annotations
		}
	}
	c.announced.Store(&all)
}

// held is a shard as this process sees it.
type held struct {
	*lease
	// cancel is nil while this process does not act for the shard.
	cancel context.CancelFunc
	done   chan error
	// stopping: it is being given back.
	stopping bool
}

// NewCrew returns a Crew that holds nothing.
func NewCrew(cfg Config) *Crew {
	c := &Crew{Config: cfg}
	c.joint = newLease(cfg, JointLease, fmt.Sprintf("%d shards", cfg.Layout.Shards()))
	c.watch = newPresence(cfg)
	for i := range cfg.Layout.Shards() {
		one := newLease(cfg, LeaseName(i), cfg.Identity)
		one.annotations = cfg.Announce
		c.shards, c.leases = append(c.shards, &held{lease: one}), append(c.leases, one)
	}
	return c
}

// Run takes part until ctx ends; then it lets what it acts for end, and gives it back.
// Its error means that the process has to end at once.
func (c *Crew) Run(ctx context.Context) error {
	c.began = c.Clock.Now()
	ticker := c.Clock.NewTicker(c.Times.Every)
	defer ticker.Stop()
	over := ctx.Done()
	for {
		if err := c.turn(ctx); err != nil {
			return err
		}
		if c.ending && c.acting() == 0 {
			return c.farewell(ctx)
		}
		select {
		case <-over:
			over = nil
			c.end()
		case <-ticker.C():
		case <-c.ended():
		}
	}
}

// begin acts for a shard.
func (c *Crew) begin(ctx context.Context, i int, since time.Time) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	h := c.shards[i]
	h.cancel, h.done, h.stopping = cancel, make(chan error, 1), false
	c.Log.Info("Acting for a shard", "shard", i, "shards", c.Layout.Shards())
	tenure := Tenure{Shard: i, Epoch: c.joint.since(), Since: since}
	go func() { h.done <- c.Hold(ctx, tenure) }()
}

// giveBack begins to give one shard back; one at a time, since each is without anybody
// for a moment.
func (c *Crew) giveBack() {
	last := -1
	for i, h := range c.shards {
		if h.stopping {
			return
		}
		if h.cancel != nil {
			last = i
		}
	}
	c.Log.Info("Giving a shard to another replica", "shard", last)
	c.shards[last].stopping = true
	c.shards[last].cancel()
}

// end lets everything end.
func (c *Crew) end() {
	c.ending = true
	for _, h := range c.shards {
		if h.cancel != nil {
			h.stopping = true
			h.cancel()
		}
	}
}

// reap gives back the leases of what has ended. What ends by itself has failed.
func (c *Crew) reap(ctx context.Context) error {
	for i, h := range c.shards {
		if h.cancel == nil {
			continue
		}
		select {
		case err := <-h.done:
			if err != nil || !h.stopping {
				return fmt.Errorf("acting for shard %d ended: %w", i, errors.Join(err, h.leave(ctx)))
			}
			h.cancel, h.stopping = nil, false
			c.told(h.leave(ctx))
		default:
		}
	}
	return nil
}

// ended is ready soon after something has ended while all is to end.
func (c *Crew) ended() <-chan time.Time {
	if !c.ending {
		return nil
	}
	return c.Clock.After(c.Times.Every / 20)
}

func (c *Crew) acting() int {
	n := 0
	for _, h := range c.shards {
		if h.cancel != nil {
			n++
		}
	}
	return n
}

// farewell says that this process is gone. The joint lease is left to the others; it ends
// by itself after the last of them, unless nobody else was there.
func (c *Crew) farewell(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.patience())
	defer cancel()
	var left error
	if c.watch.alone() && c.joint.ours() {
		left = c.joint.leave(ctx)
	}
	c.told(errors.Join(left, c.watch.remove(ctx)))
	return nil
}
