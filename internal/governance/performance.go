package governance

import (
	"strconv"
	"strings"
	"time"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func (c *compiler) performance() {
	p := c.spec.Performance
	if p == nil {
		return
	}
	if p.MaxSilenceDays > 0 {
		c.add(rule{name: ruleMaxSilence, judge: silence{limit: days(p.MaxSilenceDays), days: int(p.MaxSilenceDays)}.judge})
	}
	if p.MinPostsPer30Days > 0 {
		c.add(rule{name: ruleMinPosts, judge: cadence{id: ruleID{c.policy.name, ruleMinPosts}, least: int(p.MinPostsPer30Days)}.judge})
	}
}

// silence: the account posts, replies or reposts often enough. What was not read is
// no silence.
type silence struct {
	limit time.Duration
	days  int
}

func (r silence) judge(s *subject) outcome {
	seen := s.lastSeen()
	if !seen.last.IsZero() && s.in.Now.Before(seen.last.Add(r.limit)) {
		return outcome{verdict: Pass, next: seen.last.Add(r.limit)}
	}
	from := seen.last
	if seen.since.After(from) && from.IsZero() {
		from = seen.since
	}
	switch {
	case seen.asOf.IsZero():
		return unknown("cannot be judged: " + seen.missing)
	case seen.asOf.Sub(from) >= r.limit:
		return violated("no post since " + stamp(from) + "; at most " + strconv.Itoa(r.days) + " days may pass")
	case seen.last.IsZero():
		out := unknown("no post has been seen since " + stamp(from) + ", and earlier ones have not been read")
		out.next = later(from.Add(r.limit), s.in.Now)
		return out
	}
	return unknown("posts were last read on " + stamp(seen.asOf) + "; whether the account has been silent since is not known")
}

// sight is what is known of an account's newest post.
type sight struct {
	// last is when it was made; zero: no post is known.
	last time.Time
	// since is from when on no post can have been missed; asOf until when.
	since, asOf time.Time
	// missing says why nothing is known.
	missing string
}

// lastSeen joins what the profile tells with what was read of posts.
func (s *subject) lastSeen() sight {
	seen := sight{missing: notReadYet}
	rec := s.in.Activity
	if rec != nil {
		seen.last = rec.last()
		c := rec.figures
		if why := s.unreadable(onlyPublish, written); why != nil {
			seen.missing = strings.Join(why, "; ")
		} else if !c.Since.IsZero() {
			seen.since, seen.asOf = c.Since, c.At
		}
	}
	if s.live != nil && s.live.Readable.Has(FactLastPost) && s.live.Profile.LastPostAt != nil {
		p := s.live.Profile
		if p.LastPostAt.After(seen.last) {
			seen.last = p.LastPostAt.Time
		}
		asOf := s.in.Now
		if p.ObservedAt != nil {
			asOf = p.ObservedAt.Time
		}
		if asOf.After(seen.asOf) {
			seen.asOf = asOf
		}
	}
	return seen
}

// later is t, if it is still to come.
func later(t, now time.Time) time.Time {
	if t.After(now) {
		return t
	}
	return time.Time{}
}

// cadence: the account posts often enough in any 30 days.
type cadence struct {
	id    ruleID
	least int
}

func (r cadence) judge(s *subject) outcome {
	rec := s.in.Activity
	if rec == nil {
		return unknown("cannot be judged: " + notReadYet)
	}
	if at := rec.nthPost(r.least); !at.IsZero() && s.in.Now.Before(at.Add(window)) {
		return outcome{verdict: Pass, next: at.Add(window)}
	}
	if c := rec.Coverage[v1alpha1.ActionPublish]; c.Missing != "" {
		return unknown("cannot be judged: " + clean(c.Missing, 2*maxQuote))
	}
	if out, ok := s.standing(r.id, onlyPublish); ok {
		return out
	}
	c := rec.figures
	since := rec.wholeSince()
	switch {
	case c.Since.IsZero():
		return unknown("cannot be judged: " + pluralOf(v1alpha1.ActionPublish) + " have not been read yet")
	case since.After(c.At.Add(-window)):
		out := unknown("fewer than " + strconv.Itoa(r.least) + " posts are known, of the time since " + stamp(since) + "; 30 days have not been read yet")
		out.next = later(since.Add(window), s.in.Now)
		return out
	case rec.postsUntil(c.At) < r.least:
		return violated("fewer than " + strconv.Itoa(r.least) + " posts in 30 days")
	}
	return unknown("posts were last read on " + stamp(c.At) + "; how many there have been since is not known")
}

// nthPost is when the n-th newest post was made; zero: fewer are known.
func (r *Record) nthPost(n int) time.Time {
	for i := range r.acts {
		if r.acts[i].action != codePublish {
			continue
		}
		if n--; n == 0 {
			return time.Unix(r.acts[i].at, 0).UTC()
		}
	}
	return time.Time{}
}

// postsUntil counts the posts of the 30 days before a moment.
func (r *Record) postsUntil(end time.Time) int {
	n := 0
	for i := range r.acts {
		a := &r.acts[i]
		if a.action == codePublish && a.at > end.Add(-window).Unix() && a.at <= end.Unix() {
			n++
		}
	}
	return n
}

// wholeSince is from when on every post is remembered.
func (r *Record) wholeSince() time.Time {
	since := r.figures.Since
	if r.full && len(r.acts) > 0 {
		if oldest := time.Unix(r.acts[len(r.acts)-1].at, 0).UTC(); oldest.After(since) {
			return oldest
		}
	}
	return since
}
