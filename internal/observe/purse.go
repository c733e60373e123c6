package observe

import (
	"time"

	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/platform"
)

// Saved is what an earlier process left of a connection's budgets.
type Saved struct {
	Lines []budget.Line
	// Exact: that process ended properly, so nothing was spent since.
	Exact bool
	// Standing: the lines are of this day's status as they are, and should this process be
	// killed, the next one will know that it counted. So nothing has to be saved before
	// it goes on.
	Standing bool
	// Swept: every account was read on the day of the lines, so whoever is remembered
	// is paid for.
	Swept bool
}

// fill makes the budgets of a connection that is opened.
func (c *conn) fill(e *Engine, now time.Time) {
	before := c.purse
	c.purse = budget.New(c.Adapter.Budgets, budget.Limits{
		Share: c.Share, DailyMicroUSD: c.DailyMicroUSD, Units: c.Units, Part: c.Part, Saved: c.Persist,
	}, before)
	if before == nil {
		c.purse.Restore(c.Saved.Lines, c.Saved.Exact, now)
		if c.Saved.Exact && c.Saved.Standing {
			c.purse.Saved(c.Saved.Lines, now)
		}
	}
	c.asked = false
	c.remind(e, now)
}

// remind wakes the reconciler once if the figures of the budgets are to be saved.
func (c *conn) remind(e *Engine, now time.Time) {
	if !c.asked && c.purse.Due(now) {
		c.asked = true
		e.tellConnection(c)
	}
}

// Saved takes note that a connection's figures are saved.
func (e *Engine) Saved(connection string, lines []budget.Line) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c, ok := e.conns[connection]; ok && c.purse != nil {
		c.purse.Saved(lines, e.cfg.Clock.Now())
		c.asked = false
		e.wakeLoop()
	}
}

// request is what looking at targets costs.
func (c *conn) request(by platform.Lookup, targets []*target, urgent bool) budget.Request {
	r := budget.Request{Charges: c.Adapter.Profiles[by].Charges, Urgent: urgent, Items: make([]budget.Item, len(targets))}
	if by == platform.ByID {
		for i, t := range targets {
			r.Items[i] = budget.Item{ID: t.id, Remembered: c.remembers(t)}
		}
	}
	return r
}

// remembers says that an account was paid for on this day before this process began.
func (c *conn) remembers(t *target) bool {
	return t.restored && (c.Saved.Swept || sameDay(t.at.time(), c.opened))
}

func sameDay(a, b time.Time) bool {
	return a.UTC().Format(time.DateOnly) == b.UTC().Format(time.DateOnly)
}

// shown are the ids of the accounts that an answer showed.
func shown(observations []platform.Observation) []string {
	var ids []string
	for _, o := range observations {
		if o.Profile != nil {
			ids = append(ids, o.Profile.ID)
		}
	}
	return ids
}
