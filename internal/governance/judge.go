package governance

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Judge takes new acts into a record. Each act is judged once; afterwards its text is
// forgotten. prev is nil for an account of which nothing was judged yet.
func Judge(prev *Record, in JudgeInput) *Record {
	policies := inOrder(in.Policies)
	next := &Record{}
	if prev != nil {
		next = prev.copied()
		if !prev.holds(policies, digestOf(policies)) {
			next.anew(in.Now)
		}
	}
	next.editions, next.Digest = editionsOf(policies)
	next.Coverage = maps.Clone(in.Coverage)
	next.drop(goneOf(&in))
	j := judgement{in: &in, policies: policies, record: next}
	for i := range in.Acts {
		j.take(&in.Acts[i])
	}
	next.confirm()
	next.outgrow(in.Now)
	if next.settle(mostPosts(policies)) {
		next.anew(in.Now)
	}
	return next
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

// outgrow ends the time in which the status stands in for what was judged before a
// restart.
func (r *Record) outgrow(now time.Time) {
	if r.base != nil && now.Sub(r.base.at) > window {
		r.Restored, r.base = false, nil
	}
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
}

// take judges one act.
func (j *judgement) take(act *Act) {
	key, at := keyOf(act.Action, act.ID), unixOf(act.At)
	if spoken(act.Action) && at != 0 {
		j.record.acts = append(j.record.acts, seenAct{key: key, at: at, action: codeOf(act.Action)})
	}
	for _, p := range j.policies {
		trial{j: j, policy: p, act: act, key: key, at: at}.procedures()
	}
}

// spoken says that an action puts something on the account's own page.
func spoken(a v1alpha1.ActivityAction) bool {
	return a == v1alpha1.ActionPublish || a == v1alpha1.ActionReply || a == v1alpha1.ActionRepost
}
