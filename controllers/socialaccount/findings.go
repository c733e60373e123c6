package socialaccount

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/status"
)

// maxFindings is how many findings a status holds; the counts are exact.
const maxFindings = 20

// drift lists the differences from the declared profile, each since it was first
// seen. While the account cannot be read, what was known stays.
func drift(f facts, before []v1alpha1.Drift, now time.Time) []v1alpha1.Drift {
	if missing(f) != "" {
		if f.rival != nil {
			return nil
		}
		return before
	}
	next := governance.Drift(f.account, f.live)
	for i := range next {
		next[i].Since = status.Time(now)
		for _, was := range before {
			if was.Field == next[i].Field && was.Got == next[i].Got {
				next[i].Since = was.Since
			}
		}
	}
	for _, was := range before {
		if unread(f, was.Field) {
			next = append(next, was) // not told this time is not settled
		}
	}
	return next
}

// unread says that a field of the approved profile could not be compared with what
// was seen last.
func unread(f facts, field string) bool {
	fact := map[string]governance.Facts{
		"handle": governance.FactHandle, "displayName": governance.FactDisplayName, "bio": governance.FactBio,
		"website": governance.FactWebsite, "avatar": governance.FactAvatar,
	}[field]
	s := f.view.Snapshot
	return !f.readable.Has(fact) || field == "avatar" && s.Profile.AvatarURL != "" && s.AvatarSHA256 == "" && s.AvatarPerceptualHash == ""
}

// findings dates each finding from when it was first found, and keeps who was
// accountable then. Who is responsible for a violation stays while it cannot be
// seen: when it shows again, it is no new one.
func findings(f facts, r governance.Result, now time.Time) []v1alpha1.Finding {
	next := chosen(r.Findings)
	for i := range next {
		next[i].Since = status.Time(now)
		if next[i].Verdict == v1alpha1.VerdictViolated {
			next[i].Responsible = f.account.Spec.Owner.Accountable
		}
		if was := same(f.account.Status.Findings, next[i]); was != nil {
			next[i].Since, next[i].Responsible = was.Since, was.Responsible
			if f.unread && aboutActs(was.Rule) && was.Verdict == next[i].Verdict {
				next[i].Message = was.Message // a restart is no evidence of why, either
			}
		}
	}
	settleOrder(next)
	return next
}

// settleOrder puts the posts that violate one rule in an order that the status itself
// tells: the last found first. When they were made is not remembered.
func settleOrder(all []v1alpha1.Finding) {
	alike := func(a, b *v1alpha1.Finding) bool {
		return a.Rule == b.Rule && a.Policy == b.Policy && a.Verdict == b.Verdict && a.Mode == b.Mode
	}
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && alike(&all[from], &all[to]) {
			to++
		}
		slices.SortStableFunc(all[from:to], func(a, b v1alpha1.Finding) int {
			return cmp.Or(b.Since.Compare(a.Since.Time), strings.Compare(referenceID(&a), referenceID(&b)))
		})
		from = to
	}
}

// chosen are the findings that a status has room for: the worst, but of every rule
// that is violated one before a second one of any.
func chosen(all []v1alpha1.Finding) []v1alpha1.Finding {
	if len(all) <= maxFindings {
		return all
	}
	type rule struct {
		policy v1alpha1.ObjectName
		name   string
	}
	seen := map[rule]bool{}
	var first, rest []int
	for i := range all {
		key := rule{all[i].Policy, all[i].Rule}
		if all[i].Verdict == v1alpha1.VerdictViolated && !seen[key] {
			first = append(first, i)
		} else {
			rest = append(rest, i)
		}
		seen[key] = true
	}
	picked := append(first, rest...)[:maxFindings]
	slices.Sort(picked)
	out := make([]v1alpha1.Finding, 0, maxFindings)
	for _, i := range picked {
		out = append(out, all[i])
	}
	return out
}

// same finds the earlier form of a finding. What was never violated is no earlier
// form of a violation.
func same(before []v1alpha1.Finding, f v1alpha1.Finding) *v1alpha1.Finding {
	for i := range before {
		b := &before[i]
		if b.Rule == f.Rule && b.Policy == f.Policy && referenceID(b) == referenceID(&f) && (b.Verdict == f.Verdict || wasViolated(b)) {
			return b
		}
	}
	return nil
}

// aboutActs says that a rule judges what the account does.
func aboutActs(rule string) bool {
	section, _, _ := strings.Cut(rule, "/")
	return slices.Contains([]string{"activity", "content", "sources", "languages", "performance"}, section)
}

// wasViolated says that a finding is a violation, or was one when it could last be
// judged: only a violation has somebody responsible.
func wasViolated(f *v1alpha1.Finding) bool { return f.Responsible != "" }

func referenceID(f *v1alpha1.Finding) string {
	if f.Reference == nil {
		return ""
	}
	return f.Reference.ID
}
