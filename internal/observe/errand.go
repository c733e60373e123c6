package observe

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/platform"
)

// Errand is a call that somebody else makes through a connection: a step of a
// handover. It may use the reserve, and all of them together budget.Handed percent.
type Errand struct {
	Connection string
	// Key names the account whose errand it is; it has one at a time.
	Key types.NamespacedName
	// ID is the platform's id of the account.
	ID string
	// Charges are what it costs.
	Charges []platform.Charge
	// First goes before those that are not: it ends what is compromised.
	First bool
}

// called is how long the budget is kept for somebody whose turn it is and who does not
// come. Then it counts as spent.
const called = 5 * time.Minute

// waiting is an errand that waits.
type waiting struct {
	Errand
	request budget.Request
	since   time.Time
	// receipt is set once it is its turn, at the moment called.
	receipt *budget.Receipt
	called  time.Time
}

// errands are those of a connection that wait, in the order in which they came, the
// urgent ones first.
type errands struct{ line []*waiting }

// Errands wakes those whose turn it is.
func (e *Engine) Errands() source.Source { return e.turns }

// Take asks the budgets of a connection for an errand. While it is not its turn, ok is
// false, and Errands wakes whoever asked, who then asks again for the same, or leaves. Once
// it is, the call counts, and done has to be told how it ended: nil where the platform
// answered.
func (e *Engine) Take(a Errand) (done func(error), ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, open := e.conns[a.Connection]
	if !open || c.purse == nil {
		return nil, false
	}
	now := e.cfg.Clock.Now()
	w := c.errands.take(a, now)
	if w == nil {
		w = &waiting{Errand: a, request: e.errandRequest(c, a), since: now}
		if c.errands.blocks(w) || c.purse.Wait(w.request, now) > 0 {
			c.errands.join(w)
			e.wakeLoop()
			return nil, false
		}
		w.receipt = c.purse.Spend(w.request, now)
		c.remind(e, now)
	} else if w.receipt == nil {
		return nil, false
	}
	e.wakeLoop() // a turn is free
	e.metrics.waited(c.Platform, now.Sub(w.since))
	purse := c.purse
	return func(err error) { e.endErrand(c, purse, w, err) }, true
}

// Leave gives up the place of an account that needs no call any more, or its turn.
func (e *Engine) Leave(account types.NamespacedName) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.conns {
		if c.errands.leave(account, e.cfg.Clock.Now()) {
			e.wakeLoop()
		}
	}
}

// endErrand takes in how an errand ended.
func (e *Engine) endErrand(c *conn, purse *budget.Purse, w *waiting, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.cfg.Clock.Now()
	w.receipt.Done(nil, err == nil || answered(err), now)
	if platform.KindOf(err) == platform.KindRateLimited && err != nil {
		purse.Pause(w.Charges, retryAfter(err), now)
	}
	c.remind(e, now)
	e.wakeLoop()
}

// errandRequest is what an errand costs.
func (e *Engine) errandRequest(c *conn, a Errand) budget.Request {
	item := budget.Item{ID: a.ID}
	if t := e.targets[nameOf(a.Key)]; t != nil && t.conn == c && t.id == a.ID {
		item.Remembered = c.remembers(t)
	}
	return budget.Request{Charges: a.Charges, Handover: true, Items: []budget.Item{item}}
}

// take finds what somebody waits for. Who asks for something else by now has given up
// the former; who is called takes the turn.
func (l *errands) take(a Errand, now time.Time) *waiting {
	i := slices.IndexFunc(l.line, func(w *waiting) bool { return w.Key == a.Key })
	if i < 0 {
		return nil
	}
	w := l.line[i]
	same := w.ID == a.ID && w.First == a.First && slices.Equal(w.Charges, a.Charges)
	if !same || w.receipt != nil {
		l.line = slices.Delete(l.line, i, i+1)
	}
	if same {
		return w
	}
	if w.receipt != nil {
		w.receipt.Done(nil, false, now)
	}
	return nil
}

// leave says whether the account was there.
func (l *errands) leave(account types.NamespacedName, now time.Time) bool {
	i := slices.IndexFunc(l.line, func(w *waiting) bool { return w.Key == account })
	if i < 0 {
		return false
	}
	if w := l.line[i]; w.receipt != nil {
		w.receipt.Done(nil, false, now)
	}
	l.line = slices.Delete(l.line, i, i+1)
	return true
}

func (l *errands) join(w *waiting) {
	at := len(l.line)
	if w.First {
		if i := slices.IndexFunc(l.line, func(o *waiting) bool { return !o.First }); i >= 0 {
			at = i
		}
	}
	l.line = slices.Insert(l.line, at, w)
}

// blocks says that somebody who waits for the same budget is to go before.
func (l *errands) blocks(w *waiting) bool {
	return slices.ContainsFunc(l.line, func(o *waiting) bool {
		return o.receipt == nil && (o.First || !w.First) && shares(o.Charges, w.Charges)
	})
}

func shares(a, b []platform.Charge) bool {
	return slices.ContainsFunc(a, func(x platform.Charge) bool {
		return slices.ContainsFunc(b, func(y platform.Charge) bool { return x.Bucket == y.Bucket })
	})
}

// serveErrands calls those whose turn it is, and says when to look again. It goes before
// the sweep, which has its own part of every budget.
func (e *Engine) serveErrands(c *conn, now time.Time) (rest time.Duration) {
	rest = time.Hour
	c.errands.line = slices.DeleteFunc(c.errands.line, func(w *waiting) bool {
		gone := w.receipt != nil && now.Sub(w.called) >= called
		if gone {
			w.receipt.Done(nil, false, now)
		}
		return gone
	})
	if c.purse == nil {
		return rest
	}
	held, out := map[string]bool{}, 0
	for _, w := range c.errands.line {
		if w.receipt != nil {
			out++
			rest = min(rest, w.called.Add(called).Sub(now))
		}
	}
	for _, w := range c.errands.line {
		if w.receipt != nil {
			continue
		}
		if out >= maxUnderway {
			break // those who are called and slow to come would all go at once
		}
		rest = min(rest, e.callErrand(c, w, held, now))
		if w.receipt != nil {
			out++
		}
	}
	return rest
}

// callErrand calls somebody who waits, if the budgets allow it. If not, held names those
// that are kept for them, and rest is when to look again.
func (e *Engine) callErrand(c *conn, w *waiting, held map[string]bool, now time.Time) (rest time.Duration) {
	rest = time.Hour
	kept := slices.ContainsFunc(w.Charges, func(charge platform.Charge) bool { return held[charge.Bucket] })
	if !kept {
		if rest = c.purse.Wait(w.request, now); rest == 0 {
			w.receipt, w.called = c.purse.Spend(w.request, now), now
			c.remind(e, now)
			e.turns.Add(reconcile.Request{NamespacedName: w.Key})
			return called
		}
	}
	for _, charge := range w.Charges {
		held[charge.Bucket] = true
	}
	return rest
}

// errandsWaiting counts those that wait, by platform.
func (e *Engine) errandsWaiting() map[platform.Name]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := map[platform.Name]int{}
	for _, c := range e.conns {
		if c.Platform != "" {
			n[c.Platform] += len(c.errands.line)
		}
	}
	return n
}
