package socialaccount

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/roster"
)

// memory is what this process keeps of an account beside its status: what was made
// of acts whose text is forgotten.
type memory struct {
	uid    types.UID
	record *governance.Record
	// changed says what became of a post since it was found, by its id, until the
	// status no longer holds a finding about it.
	changed map[string]change
	// heard: the engine has told what the account did.
	heard bool
}

// change is what became of a post since it was found: it is gone, or has another
// text by now, of which sha256 is the digest.
type change struct {
	gone   bool
	sha256 string
}

func (c change) String() string {
	if c.gone {
		return "the post is gone"
	}
	return "the post was edited"
}

// wantActivity says what is wanted of what the account does; nil: nothing, since no
// rule is about it.
func wantActivity(f *facts) *observe.ActivityWant {
	if len(f.actions) == 0 {
		return nil
	}
	acc := f.account
	want := &observe.ActivityWant{
		Every: f.cadence.ActivityEvery, Own: acc.Spec.Credentials != nil, Public: acc.Spec.Class == v1alpha1.ClassPersonal,
		Restored: readings(acc.Status.Activity),
	}
	for _, action := range f.actions {
		want.Actions = append(want.Actions, platform.Action(action))
	}
	for i := range acc.Status.Findings {
		ref := acc.Status.Findings[i].Reference
		if ref == nil {
			continue
		}
		post := observe.PostWant{ID: ref.ID, Action: platform.Action(ref.Action)}
		if !slices.Contains(want.Posts, post) {
			want.Posts = append(want.Posts, post)
		}
	}
	return want
}

// judge takes in what the account did since it was last judged. Nothing that came is
// lost when a pass fails: the record is kept, and the status is written from it.
func (r *Reconciler) judge(f *facts) {
	key := client.ObjectKeyFromObject(f.account)
	if len(f.actions) == 0 {
		r.mu.Lock()
		delete(r.memories, key)
		r.mu.Unlock()
		return
	}
	m := r.memoryOf(f.account)
	if f.view.Activity != nil {
		r.takeIn(f, &m)
	}
	m.changed = stillNamed(m.changed, f.account.Status.Findings)
	r.mu.Lock()
	r.memories[key] = m
	r.mu.Unlock()
	f.record, f.changed, f.unread = m.record, m.changed, !m.heard
}

// memoryOf is what is kept of an account; after a restart, what its status holds.
func (r *Reconciler) memoryOf(acc *v1alpha1.SocialAccount) memory {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, ok := r.memories[client.ObjectKeyFromObject(acc)]
	if !ok || m.uid != acc.UID {
		return memory{uid: acc.UID, record: governance.Restore(acc)}
	}
	return m
}

// takeIn judges what the engine tells, and lets it go.
func (r *Reconciler) takeIn(f *facts, m *memory) {
	key := client.ObjectKeyFromObject(f.account)
	told := f.view.Activity
	in := governance.JudgeInput{
		Account: f.account, Policies: f.policies, Gone: told.Gone, Governed: r.governed, Now: r.Clock.Now(),
		Coverage: coverageOf(told), Acts: make([]governance.Act, 0, len(told.Acts)),
	}
	if missing(*f) == "" {
		in.Live = liveOf(*f)
	}
	changed := map[string]change{}
	maps.Copy(changed, m.changed)
	for _, act := range told.Acts {
		in.Acts = append(in.Acts, actOf(act))
		sum := sha256.Sum256([]byte(act.Text))
		changed[act.ID] = change{sha256: hex.EncodeToString(sum[:])}
	}
	for _, id := range told.Gone {
		changed[id] = change{gone: true}
	}
	m.record, m.changed, m.heard = governance.Judge(m.record, in), changed, true
	r.Observer.Judged(key, told.Sequence)
	if m.record.NeedsReread {
		r.Observer.RereadActivity(key)
		f.view, f.watched = r.Observer.Look(key)
	}
}

// stillNamed keeps of what became of posts what is about a finding.
func stillNamed(changed map[string]change, findings []v1alpha1.Finding) map[string]change {
	var kept map[string]change
	for i := range findings {
		ref := findings[i].Reference
		if ref == nil {
			continue
		}
		if what, ok := changed[ref.ID]; ok && (what.gone || what.sha256 != string(ref.SHA256)) {
			if kept == nil {
				kept = map[string]change{}
			}
			kept[ref.ID] = what
		}
	}
	return kept
}

func actOf(a platform.Act) governance.Act {
	return governance.Act{
		ID: a.ID, Action: v1alpha1.ActivityAction(a.Action), At: a.At, EditedAt: a.EditedAt, Text: a.Text, URL: a.URL,
		Links: a.Links, Language: a.Language, By: a.By,
		Target: governance.Target{ID: a.Target.ID, Handle: a.Target.Handle, Known: a.TargetKnown},
	}
}

func coverageOf(a *observe.Activity) map[v1alpha1.ActivityAction]governance.Coverage {
	out := make(map[v1alpha1.ActivityAction]governance.Coverage, len(a.Coverage))
	for action, c := range a.Coverage {
		out[v1alpha1.ActivityAction(action)] = governance.Coverage{Since: c.Since, At: c.At, Missing: c.Missing, Unobservable: c.Unobservable}
	}
	return out
}

// governed says whether an account is declared anywhere in the fleet.
func (r *Reconciler) governed(name v1alpha1.PlatformName, id, handle string) bool {
	if id != "" && r.Roster.Count(roster.ID(name, id)) > 0 {
		return true
	}
	return handle != "" && r.Roster.Count(roster.Handle(name, handle)) > 0
}

// reading says that what the account did is about to be read, for the first time or
// anew, and nothing is in the way: a verdict on it is to be expected soon.
func (f facts) reading() bool {
	if !f.watched || f.view.Lane.Reason != "" || f.view.Activity == nil || missing(f) != "" {
		return false
	}
	for _, c := range f.view.Activity.Coverage {
		if c.Missing == "" && c.At.IsZero() {
			return true
		}
	}
	return false
}
