package governance

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// What a record remembers at most. Each rule keeps at least one match, or else
// forgetting would clear it.
const (
	maxActs    = 64
	maxMatches = 64
)

// window is how far back an account is judged at the first read, and the period of
// the cadence.
const window = 30 * 24 * time.Hour

// Record is what is remembered of judged acts: when what was done, and of what
// matched a rule its reference. It holds no text beyond the excerpts, and never
// changes once returned.
type Record struct {
	// Digest is of the parts of the policies that acts were judged under; it is kept in
	// status.activity.digest.
	Digest string
	// Coverage is what could be read, as the last Judge was told.
	Coverage map[v1alpha1.ActivityAction]Coverage
	// NeedsReread asks the caller to have everything in the window read once more: the
	// rules have changed. Only the record of the Judge that noticed says so. From then
	// on Coverage counts where At is later, so Since must be zero again until the
	// window was read, in status.activity too: a restart goes on from there.
	NeedsReread bool
	// Restored: what was judged before a restart is known from the status alone. It
	// holds until a whole window was read since.
	Restored bool

	// editions are the digests behind Digest, policies by name.
	editions []string
	// from is when judging anew began: older coverage was under other rules.
	from    time.Time
	acts    []seenAct // newest first
	matches []match   // newest first
	// cut are the rules of which matches were forgotten.
	cut  []ruleID
	base *restored
	// lastPost is what the status remembered.
	lastPost time.Time
	// figures is the coverage of acts, whatever the rules are. full: older acts were
	// forgotten.
	figures Coverage
	full    bool
}

// seenAct is a post, reply or repost in 24 bytes: there are many accounts.
type seenAct struct {
	key    uint64
	at     int64 // Unix seconds
	action uint8
	lang   [3]byte // ISO 639; zero: not told apart
}

// ruleID names a rule of a policy.
type ruleID struct{ policy, rule string }

// match is one act that one rule is about.
type match struct {
	ruleID
	key uint64
	at  int64
	// verdict is Violated, or Unknown where the act could not be judged.
	verdict Verdict
	// detail says what was found, or what is missing.
	detail string
	// reference is nil where the verdict is Unknown.
	reference *v1alpha1.FindingReference
	// stale: it was found under other rules and the act has not been judged anew.
	stale bool
}

// Posts tells the number of posts in the 30 days before now, whether all of them are
// known, and when the newest post, reply or repost that is known was made; zero: none
// is.
func (r *Record) Posts(now time.Time) (count int, whole bool, last time.Time) {
	if r == nil {
		return 0, false, time.Time{}
	}
	since := now.Add(-window)
	for i := range r.acts {
		a := &r.acts[i]
		if a.action == codePublish && a.at > since.Unix() {
			count++
		}
	}
	c := r.Coverage[v1alpha1.ActionPublish]
	whole = c.Missing == "" && !r.figures.Since.IsZero() && !r.wholeSince().After(since) && r.base == nil
	return count, whole, r.last()
}

// last is when the newest known post was made.
func (r *Record) last() time.Time {
	if len(r.acts) > 0 && r.acts[0].at > r.lastPost.Unix() {
		return time.Unix(r.acts[0].at, 0).UTC()
	}
	return r.lastPost
}

// counts says that an action was read under the rules of the record.
func (r *Record) counts(c Coverage) bool { return !c.Since.IsZero() && c.At.After(r.from) }

// holds says that the record was judged under these policies.
func (r *Record) holds(policies []*Policy) bool {
	if r.editions == nil && r.Restored {
		_, digest := editionsOf(policies)
		return r.Digest == digest
	}
	return slices.EqualFunc(r.editions, policies, func(e string, p *Policy) bool { return e == p.acts.digest })
}

// copied is a record that may be changed.
func (r *Record) copied() *Record {
	next := *r
	next.Coverage = maps.Clone(r.Coverage)
	next.acts, next.matches, next.cut = slices.Clone(r.acts), slices.Clone(r.matches), slices.Clone(r.cut)
	next.NeedsReread = false
	return &next
}

// anew begins again at now: nothing that was judged counts, and what was found waits
// to be confirmed.
func (r *Record) anew(now time.Time) {
	r.NeedsReread, r.Restored, r.base, r.cut, r.from = true, false, nil, nil, now
	for i := range r.matches {
		r.matches[i].stale = true
	}
}

// drop forgets what is no longer there.
func (r *Record) drop(gone func(key uint64) bool) {
	r.acts = slices.DeleteFunc(r.acts, func(a seenAct) bool { return gone(a.key) })
	r.matches = slices.DeleteFunc(r.matches, func(m match) bool { return gone(m.key) })
}

// settle puts everything in order and within bounds. It reports that nothing is left
// of a rule of which matches were forgotten.
func (r *Record) settle(keep int) (lost bool) {
	slices.SortStableFunc(r.acts, func(a, b seenAct) int {
		return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(a.key, b.key))
	})
	if keep = max(keep, maxActs); len(r.acts) > keep {
		r.acts, r.full = r.acts[:keep], true
	}
	slices.SortStableFunc(r.matches, func(a, b match) int {
		return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(a.key, b.key), cmp.Compare(a.policy, b.policy), cmp.Compare(a.rule, b.rule))
	})
	r.bound()
	return slices.ContainsFunc(r.cut, func(id ruleID) bool {
		return !slices.ContainsFunc(r.matches, func(m match) bool { return m.ruleID == id })
	})
}

// bound forgets the oldest matches of rules that have newer ones.
func (r *Record) bound() {
	type kind struct {
		ruleID
		verdict Verdict
	}
	excess := len(r.matches) - maxMatches
	if excess <= 0 {
		return
	}
	left := map[kind]int{}
	for i := range r.matches {
		left[kind{r.matches[i].ruleID, r.matches[i].verdict}]++
	}
	for i := len(r.matches) - 1; i >= 0 && excess > 0; i-- {
		k := kind{r.matches[i].ruleID, r.matches[i].verdict}
		if left[k] < 2 {
			continue
		}
		left[k]--
		excess--
		if !slices.Contains(r.cut, k.ruleID) {
			r.cut = append(r.cut, k.ruleID)
		}
		r.matches = slices.Delete(r.matches, i, i+1)
	}
}

// actions numbers the actions, so that a record stays small.
var actions = [...]v1alpha1.ActivityAction{
	v1alpha1.ActionPublish, v1alpha1.ActionReply, v1alpha1.ActionRepost, v1alpha1.ActionLike, v1alpha1.ActionFollow,
}

// codePublish is the number of ActionPublish.
const codePublish = 0

func codeOf(a v1alpha1.ActivityAction) uint8 { return uint8(slices.Index(actions[:], a)) }

// keyOf tells acts apart. 64 bits are enough for what one account did.
func keyOf(action v1alpha1.ActivityAction, id string) uint64 {
	h := fnv.New64a()
	h.Write([]byte{codeOf(action)})
	h.Write([]byte(id))
	return binary.BigEndian.Uint64(h.Sum(nil))
}

// unixOf is a moment as a record keeps it; 0: not known.
func unixOf(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.Unix()
}
