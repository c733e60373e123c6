package governance

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance/expr"
	"mithaq.dev/mithaq/internal/text"
)

// Judge takes new acts into a record. Each act is judged once; afterwards its text is
// forgotten. prev is nil for an account of which nothing was judged yet.
func Judge(prev *Record, in JudgeInput) *Record {
	policies := inOrder(in.Policies)
	if prev.covers(&in, policies) {
		return prev
	}
	next := &Record{}
	if prev != nil {
		next = prev.copied()
		if !prev.holds(policies) || prev.editions == nil && prev.unfinished(policies) {
			next.anew(in.Now)
		}
	}
	next.editions, next.Digest = editionsOf(policies)
	next.cover(in.Coverage)
	next.drop(goneOf(&in))
	j := judgement{in: &in, policies: policies, record: next}
	j.tellApart = slices.ContainsFunc(policies, func(p *Policy) bool { return p.acts.tellApart })
	for i := range in.Acts {
		j.take(&in.Acts[i])
	}
	next.confirm()
	opened, outgrown := next.opened(), next.outgrow(in.Now)
	if next.settle(mostPosts(policies)) || opened || outgrown {
		next.anew(in.Now)
	}
	return next
}

// cover notes what was read. What was known of posts stays while they are read anew.
func (r *Record) cover(coverage map[v1alpha1.ActivityAction]Coverage) {
	r.Coverage = maps.Clone(coverage)
	if c := coverage[v1alpha1.ActionPublish]; r.counts(c) {
		r.figures = c
	}
}

// covers says that there is nothing to take in.
func (r *Record) covers(in *JudgeInput, policies []*Policy) bool {
	return r != nil && !r.NeedsReread && !r.Restored && len(in.Acts) == 0 && len(in.Gone) == 0 &&
		maps.Equal(r.Coverage, in.Coverage) && r.holds(policies)
}

// goneOf says which acts are no longer there, or are judged anew.
func goneOf(in *JudgeInput) func(key uint64) bool {
	gone := map[uint64]bool{}
	for _, id := range in.Gone {
		for _, action := range actions {
			gone[keyOf(action, id)] = true
		}
	}
	for i := range in.Acts {
		gone[keyOf(in.Acts[i].Action, in.Acts[i].ID)] = true
	}
	return func(key uint64) bool { return gone[key] }
}

// confirm drops what was found under other rules and was not found again, once its
// action has been read under the new ones: what is older than the window is no
// longer judged.
func (r *Record) confirm() {
	r.matches = slices.DeleteFunc(r.matches, func(m match) bool {
		return m.stale && m.reference != nil && r.counts(r.Coverage[m.reference.Action])
	})
}

// mostPosts is how many posts some policy wants to see.
func mostPosts(policies []*Policy) int {
	most := 0
	for _, p := range policies {
		if p.spec.Performance != nil {
			most = max(most, int(p.spec.Performance.MinPostsPer30Days))
		}
	}
	return most
}

// editionsOf are the digests of what acts are judged under, each and together.
func editionsOf(policies []*Policy) (each []string, all string) {
	each = make([]string, len(policies))
	h := sha256.New()
	for i, p := range policies {
		each[i] = p.acts.digest
		h.Write([]byte(p.acts.digest))
	}
	return each, hex.EncodeToString(h.Sum(nil))
}

// judgement is one call of Judge.
type judgement struct {
	in       *JudgeInput
	policies []*Policy
	record   *Record
	// tellApart: some policy asks in which language acts are.
	tellApart bool
	reading   reading
	hits      []hit // room for findTerms
}

// reading is what was made of the act under judgement, each part when first asked for.
type reading struct {
	act             *Act
	text, tag       string
	targets         []string
	hasText, hasTag bool
	vars            *expr.Vars
	hasTargets      bool
}

// folded is the act's text, made comparable.
func (j *judgement) folded() string {
	if r := &j.reading; !r.hasText {
		r.text, r.hasText = text.Fold(r.act.Text), true
	}
	return j.reading.text
}

// language is the act's language: see languageOf.
func (j *judgement) language() string {
	if r := &j.reading; !r.hasTag {
		r.tag, r.hasTag = languageOf(r.act), true
	}
	return j.reading.tag
}

// links are the act's links.
func (j *judgement) links() []string {
	if r := &j.reading; !r.hasTargets {
		r.targets, r.hasTargets = linksOf(r.act), true
	}
	return j.reading.targets
}

// take judges one act.
func (j *judgement) take(act *Act) {
	j.reading = reading{act: act}
	key, at := keyOf(act.Action, act.ID), unixOf(act.At)
	if written.has(act.Action) && at != 0 {
		seen := seenAct{key: key, at: at, action: codeOf(act.Action)}
		if j.tellApart {
			copy(seen.lang[:], j.language())
		}
		j.record.acts = append(j.record.acts, seen)
	}
	for _, p := range j.policies {
		t := trial{j: j, policy: p, act: act, key: key, at: at}
		t.procedures()
		t.texts()
		t.languages()
	}
}
