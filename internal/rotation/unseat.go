package rotation

import (
	"slices"
	"strings"
	"time"
)

// stepRemove is the human step of taking somebody off the account whom no API removes.
const stepRemove = "remove-from-account"

// relistAfter is how long after a list that still names somebody who was to leave it
// is read again.
const relistAfter = 15 * time.Minute

// unseat takes the people who lose access off the account: by API what the API does,
// the rest by people.
func unseat(v *Vault, f *Facts, now time.Time) Step {
	next := v.copy()
	if len(leavers(v)) == 0 && v.Journal.Trigger != TriggerCompromised || !v.Journal.Trigger.handsOver() {
		next.enter(Proving, now)
		return store(next, now)
	}
	if leaver := v.leaver(f); leaver != "" {
		next.Journal.Leaver = leaver
		next.Journal.Op = next.newOp(OpUnseat, SlotCurrent, "")
		next.Journal.Op.Subject = leaver
		return Step{Vault: next, Call: next.callOf(next.Journal.Op)}
	}
	if f.Traits.ListsPeople && !v.listedLately(now) {
		return Step{Call: &Call{Kind: CallPeople, Slot: SlotCurrent, Client: v.Current.Client}}
	}
	return next.byPeople(v, f, now)
}

// byPeople asks for the steps that only people can do, and takes their word.
func (v *Vault) byPeople(stored *Vault, f *Facts, now time.Time) Step {
	j := &v.Journal
	for _, name := range f.Traits.HumanSteps {
		if !slices.Contains(f.Traits.UnseatDoes, name) || !v.removedAll(f) {
			v.ask(name, now)
		}
	}
	open := v.takeWords(f)
	switch {
	case !j.Listed && stored.Journal.Listed:
		return store(v, now)
	case !open:
		v.enter(Proving, now)
		return store(v, now)
	case sameSteps(j.HumanSteps, stored.Journal.HumanSteps):
		return rest(v.relistAt(f))
	}
	return Step{Vault: v, At: v.relistAt(f)}
}

// takeWords closes the steps on which people gave their word, and says whether one is
// open.
func (v *Vault) takeWords(f *Facts) (open bool) {
	j := &v.Journal
	for i := range j.HumanSteps {
		step := &j.HumanSteps[i]
		if word := f.Attested[step.Name]; !step.Closed() && !word.IsZero() && !word.Before(step.Since) {
			step.Attested = true
			// Where the platform shows who has access, its list has the last word.
			j.Listed = j.Listed && (step.Name != stepRemove || !f.Traits.ListsPeople)
		}
		open = open || !step.Closed()
	}
	return open
}

// leaver is who is to be removed by API next; empty: nobody. Where nobody can be
// listed, whoever leaves is removed by the address that is declared.
func (v *Vault) leaver(f *Facts) string {
	if v.Journal.Leaver != "" || !f.Traits.RemovesPeople || f.Traits.ListsPeople {
		return v.Journal.Leaver
	}
	for _, p := range leavers(v) {
		if !slices.Contains(v.Journal.Removed, p) && !slices.Contains(v.Journal.Kept, p) {
			return p
		}
	}
	return ""
}

// removedAll: the API removed everybody who leaves, without a list.
func (v *Vault) removedAll(f *Facts) bool {
	gone := leavers(v)
	return f.Traits.RemovesPeople && !f.Traits.ListsPeople && len(gone) > 0 && len(removed(gone, v.Journal.Removed)) == 0
}

// listedLately: the list of people was read, and is not to be read again.
func (v *Vault) listedLately(now time.Time) bool {
	stays := v.step(stepRemove)
	return v.Journal.Listed && (stays == nil || stays.Closed() || now.Before(v.Journal.ListedAt.Add(relistAfter)))
}

// relistAt is when the list is read again; zero: never.
func (v *Vault) relistAt(f *Facts) time.Time {
	if stays := v.step(stepRemove); f.Traits.ListsPeople && stays != nil && !stays.Closed() {
		return v.Journal.ListedAt.Add(relistAfter)
	}
	return time.Time{}
}

// Closed says that nothing is left to do about a step.
func (s *HumanStep) Closed() bool { return s.Attested || s.Proven }

func sameSteps(a, b []HumanStep) bool {
	return slices.EqualFunc(a, b, func(x, y HumanStep) bool {
		return x.Name == y.Name && x.Attested == y.Attested && x.Proven == y.Proven && x.Since.Equal(y.Since)
	})
}

func (v *Vault) step(name string) *HumanStep {
	for i := range v.Journal.HumanSteps {
		if v.Journal.HumanSteps[i].Name == name {
			return &v.Journal.HumanSteps[i]
		}
	}
	return nil
}

func (v *Vault) ask(name string, now time.Time) {
	if v.step(name) == nil && len(v.Journal.HumanSteps) < maxSteps {
		v.Journal.HumanSteps = append(v.Journal.HumanSteps, HumanStep{Name: name, Since: now})
	}
}

// leavers are the people who had access and are not declared any more.
func leavers(v *Vault) []string {
	j := &v.Journal
	declared := append([]string{j.To.Accountable}, j.To.Team...)
	had := j.From.Team
	if j.From.Accountable != "" {
		had = append([]string{j.From.Accountable}, had...)
	}
	return removed(had, declared)
}

// listed weighs who has access: the first leaver who can be removed by API is,
// who cannot is a person's work, and whom the list names no more is out.
func listed(v *Vault, o *Outcome, f *Facts, now time.Time) {
	switch o.Kind {
	case Done:
	case Denied, Misconfigured: // we may not see the list: only people can tell
		v.ask(stepRemove, now)
		v.Journal.Listed, v.Journal.ListedAt = true, now
		return
	default:
		v.again(o, now)
		return
	}
	v.Journal.Tries = 0
	gone, stays := leavers(v), false
	for _, m := range o.Members {
		if !slices.ContainsFunc(gone, func(p string) bool { return strings.EqualFold(p, m.Email) }) {
			continue
		}
		if m.Removable && f.Traits.RemovesPeople && !slices.Contains(v.Journal.Removed, m.ID) {
			v.Journal.Leaver = m.ID
			return
		}
		stays = true
	}
	v.Journal.Listed, v.Journal.ListedAt = true, now
	v.stays(stays, now)
}

// stays takes in whether the list still names somebody whom only people can remove.
func (v *Vault) stays(stays bool, now time.Time) {
	if stays {
		v.ask(stepRemove, now)
	}
	s := v.step(stepRemove)
	if s == nil {
		return
	}
	s.Proven = !stays
	if stays && s.Attested { // a word against what the platform shows
		s.Attested, s.Since = false, now
	}
}

// unseated takes the outcome of a removal in. Somebody who is not there is what was
// wanted, and the list shows it; where there is none, it is not known whose account
// the platform does not know.
func unseated(v *Vault, o *Outcome, f *Facts, now time.Time) {
	j := &v.Journal
	j.Listed = false
	switch {
	case o.Kind == Done, o.Kind == Denied && f.Traits.ListsPeople:
		j.Removed = append(j.Removed, j.Leaver)
		j.Tries, j.Leaver = 0, ""
	case o.Kind == Denied, o.Kind == Misconfigured:
		if f.Traits.ListsPeople {
			v.ask(stepRemove, now)
			j.Listed, j.ListedAt = true, now
		}
		j.Kept = append(j.Kept, j.Leaver)
		j.Leaver = ""
	default:
		v.again(o, now)
	}
}
