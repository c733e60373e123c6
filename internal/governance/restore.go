package governance

import (
	"time"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// maxStatusFindings is how many findings a status has room for.
const maxStatusFindings = 20

// Restore rebuilds a record from an account's own status after a restart. While
// the policies say of acts what status.activity.digest stands for, the verdicts that
// the status holds stay: a restart is no evidence. It is nil for an account that was
// never evaluated.
func Restore(acc *v1alpha1.SocialAccount) *Record {
	status := &acc.Status
	if status.Evaluation == nil {
		return nil
	}
	r := &Record{Restored: true, base: &restored{
		read: map[v1alpha1.ActivityAction]time.Time{}, violated: map[ruleID]string{}, unknown: map[ruleID]string{},
		truncated: len(status.Findings) >= maxStatusFindings,
	}}
	for i := range status.Findings {
		r.recall(&status.Findings[i])
	}
	if p := status.Profile; p != nil && p.LastPostAt != nil {
		r.lastPost = p.LastPostAt.Time
	}
	if status.Activity != nil {
		r.Digest = string(status.Activity.Digest)
		r.resume(status.Activity)
	}
	r.settle(maxActs)
	return r
}

// recall takes one finding in.
func (r *Record) recall(f *v1alpha1.Finding) {
	id := ruleID{policy: string(f.Policy), rule: f.Rule}
	if f.Reference == nil {
		if f.Verdict == v1alpha1.VerdictUnknown {
			r.base.unknown[id] = f.Message
		} else {
			r.base.violated[id] = f.Message
		}
		return
	}
	r.matches = append(r.matches, match{
		ruleID: id, key: keyOf(f.Reference.Action, f.Reference.ID), verdict: Violated,
		detail: f.Message, reference: f.Reference.DeepCopy(), stale: f.Verdict == v1alpha1.VerdictUnknown,
	})
}

// streamActions are the actions that a stream can hold.
var streamActions = map[v1alpha1.StreamName][]v1alpha1.ActivityAction{
	v1alpha1.StreamPosts:   {v1alpha1.ActionPublish, v1alpha1.ActionReply, v1alpha1.ActionRepost},
	v1alpha1.StreamLikes:   {v1alpha1.ActionLike},
	v1alpha1.StreamFollows: {v1alpha1.ActionFollow},
}

func (r *Record) resume(a *v1alpha1.ActivityStatus) {
	if a.LastPostAt != nil && a.LastPostAt.After(r.lastPost) {
		r.lastPost = a.LastPostAt.Time
	}
	r.base.figures = a.PostsLast30Days != nil
	for _, s := range a.Streams {
		if s.Since == nil || s.ReadAt == nil {
			continue
		}
		for _, action := range streamActions[s.Stream] {
			r.base.read[action] = s.ReadAt.Time
		}
		if s.Stream == v1alpha1.StreamPosts {
			r.figures = Coverage{Since: s.Since.Time, At: s.ReadAt.Time}
		}
		if s.ReadAt.After(r.base.at) {
			r.base.at = s.ReadAt.Time
		}
	}
}
