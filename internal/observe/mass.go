package observe

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

const (
	// massShare, in percent of those looked at within massWindow, and massLeast are how
	// many accounts change together before it is a mass change.
	massShare  = 20
	massLeast  = 20
	massWindow = 5 * time.Minute
	// massHold is how long a mass change is held back before its accounts are looked at
	// once more.
	massHold = 10 * time.Minute
)

// mass watches for changes of many accounts together: a shared tool that was
// defaced, an outage that answers "not found". What it holds back is neither believed
// nor forgotten.
type mass struct {
	// looks are the surveys of the last massWindow.
	looks []survey
	// change is set while one is held back; held are its accounts.
	change *MassChange
	held   map[*target]*held
	// asked: the accounts are being looked at once more.
	asked bool
}

// survey is what one answer held.
type survey struct {
	at      time.Time
	looks   int
	changes map[string][]*target
}

// held is an answer that is held back, and whether it was given again after the hold.
type held struct {
	by    platform.Lookup
	o     platform.Observation
	again bool
}

// changed says in which respects an answer differs from what is stored of an
// account: in its outcome, or in the fields of its profile. What is new to us, and
// what a mass change has released, changes nothing.
func (t *target) changed(by platform.Lookup, o platform.Observation) []string {
	if o.Outcome == platform.Unanswered || t.released || t.recheck || t.doubt != nil || by != t.conn.way(t) {
		return nil
	}
	s, known := t.snapshot()
	if !known || s.Outcome != Found {
		return nil
	}
	if o.Profile == nil {
		return []string{string(o.Outcome)}
	}
	return t.differs(&s.Profile, o.Profile)
}

// differs names the fields that differ. Of what is only remembered, an empty field
// may be one that was not remembered.
func (t *target) differs(was, now *platform.Profile) []string {
	var fields []string
	for _, f := range []struct {
		name    string
		differs bool
		empty   bool
		field   platform.Field
	}{
		{"handle", !strings.EqualFold(was.Handle, now.Handle), was.Handle == "", platform.FieldHandle},
		{"displayName", was.DisplayName != now.DisplayName, was.DisplayName == "", platform.FieldDisplayName},
		{"bio", was.Bio != now.Bio, was.Bio == "", platform.FieldBio},
		{"website", was.Website != now.Website, was.Website == "", platform.FieldWebsite},
		{"avatar", !SameImage(was.AvatarURL, now.AvatarURL), was.AvatarURL == "", platform.FieldAvatar},
		{"banner", !SameImage(was.BannerURL, now.BannerURL), was.BannerURL == "", platform.FieldBanner},
		{"verified", was.Verified != now.Verified, !was.Verified, platform.FieldVerified},
	} {
		if f.differs && !now.Unread.Has(f.field) && (!t.restored || !f.empty) {
			fields = append(fields, f.name)
		}
	}
	return fields
}

// survey counts what an answer changes, before any of it is believed.
func (e *Engine) survey(c *conn, b *batch, observations []platform.Observation, same func(int) bool, now time.Time) {
	m := &c.mass
	one := survey{at: now, changes: map[string][]*target{}}
	for i, t := range b.targets {
		if !same(i) || b.by != c.way(t) {
			continue
		}
		one.looks++
		for _, what := range t.changed(b.by, observations[i]) {
			one.changes[what] = append(one.changes[what], t)
		}
	}
	m.looks = slices.DeleteFunc(append(m.looks, one), func(s survey) bool { return now.Sub(s.at) > massWindow })
	if m.change != nil || len(one.changes) == 0 {
		return
	}
	for _, what := range slices.Sorted(maps.Keys(one.changes)) {
		if n, looks := m.count(what); n >= massLeast && n*100 >= massShare*looks {
			e.notice(c, MassChange{Since: now, What: what, Accounts: n, Share: n * 100 / looks})
			return
		}
	}
}

// count is how many accounts changed in a respect within massWindow, of how many.
func (m *mass) count(what string) (changes, looks int) {
	for _, s := range m.looks {
		looks += s.looks
		changes += len(s.changes[what])
	}
	return changes, looks
}

// notice begins to hold back, also the doubts that are not settled yet.
func (e *Engine) notice(c *conn, change MassChange) {
	m := &c.mass
	m.change, m.held, m.asked = &change, map[*target]*held{}, false
	for _, s := range m.looks {
		for _, t := range s.changes[change.What] {
			if t.conn == c && t.doubt != nil && string(t.doubt.Outcome) == change.What {
				m.held[t] = &held{by: c.way(t), o: t.doubt.Observation}
				t.doubt = nil
			}
		}
	}
	e.cfg.Log.Info("Many accounts change together", "connection", c.Name, "what", change.What, "accounts", change.Accounts)
	e.tellConnection(c)
}

// suspects says that a doubt may yet turn out to be part of a mass change: a quarter
// of what it takes has happened already.
func (m *mass) suspects(c *conn, t *target) bool {
	if t.released || c.targets < massLeast || t.doubt.Profile != nil || m.change != nil {
		return false
	}
	n, looks := m.count(string(t.doubt.Outcome))
	return n >= massLeast/4 && n*100 >= massShare*looks
}

// holds keeps an answer back that is part of a mass change.
func (e *Engine) holds(c *conn, t *target, by platform.Lookup, o platform.Observation) bool {
	m := &c.mass
	if m.change == nil {
		return false
	}
	if o.Outcome == platform.Unanswered {
		if m.asked {
			delete(m.held, t) // it is no part of what is confirmed, and no news either
		}
		return false
	}
	if !slices.Contains(t.changed(by, o), m.change.What) {
		if by == c.way(t) {
			delete(m.held, t)
		}
		return false
	}
	m.held[t] = &held{by: by, o: o, again: m.asked}
	return true
}

// settleMass ends a mass change: when a look at all of its accounts after the hold
// has shown the same, or when too few of them are left.
func (e *Engine) settleMass(ctx context.Context, c *conn, now time.Time) {
	m := &c.mass
	if m.change == nil || now.Sub(m.change.Since) < massHold {
		return
	}
	again := 0
	for _, h := range m.held {
		if h.again {
			again++
		}
	}
	if len(m.held) >= massLeast && again < len(m.held) {
		e.askAgain(c, now)
		return
	}
	accounts := m.held
	m.change, m.held, m.looks = nil, nil, nil
	e.tellConnection(c)
	for _, t := range slices.SortedFunc(maps.Keys(accounts), func(a, b *target) int { return a.position().compare(b.position()) }) {
		if t.conn == c {
			t.released = true
			e.weigh(ctx, t, accounts[t].by, accounts[t].o, now)
		}
	}
}

// askAgain has all accounts looked at once more when the hold is over.
func (e *Engine) askAgain(c *conn, now time.Time) {
	if c.mass.change == nil || c.mass.asked || now.Sub(c.mass.change.Since) < massHold {
		return
	}
	c.mass.asked = true
	e.wakeLoop()
	for _, t := range slices.SortedFunc(maps.Keys(c.mass.held), func(a, b *target) int { return a.position().compare(b.position()) }) {
		c.enqueue(t, c.way(t), now)
	}
}

// drop forgets an account.
func (m *mass) drop(t *target) { delete(m.held, t) }
