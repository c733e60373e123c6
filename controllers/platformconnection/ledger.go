package platformconnection

import (
	"fmt"
	"math/big"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/observe"
	"mithaq.dev/mithaq/internal/platform"
)

// save carries the figures of the budgets into the status. They are what a later
// process goes on with.
func save(next *v1alpha1.PlatformConnectionStatus, f facts) {
	next.Budget = nil
	for _, u := range f.report.Buckets {
		next.Budget = append(next.Budget, v1alpha1.BucketStatus{
			Bucket: u.Bucket, Limit: ptr.To(int64(u.Limit)), Remaining: ptr.To(int64(max(u.Remaining, 0))), ResetsAt: moment(u.ResetsAt),
		})
	}
	next.Counting = nil
	for _, l := range f.report.Ledger {
		if l.Kind == platform.BudgetMoney && (l.Spent > 0 || l.Leased) {
			next.Spend = &v1alpha1.Spend{Day: l.Date, USD: dollars(l.Spent)}
		}
		if l.Leased && !f.unmarked {
			next.Counting = ptr.To(true)
		}
	}
}

// sameSpent says that what must survive a restart is written already.
func sameSpent(before, next *v1alpha1.PlatformConnectionStatus, f facts) bool {
	if ptr.Deref(before.Counting, false) != ptr.Deref(next.Counting, false) || !ptr.Equal(before.Spend, next.Spend) {
		return false
	}
	was := map[string]v1alpha1.BucketStatus{}
	for _, b := range before.Budget {
		was[b.Bucket] = b
	}
	for _, l := range f.report.Ledger {
		if b, ok := was[l.Bucket]; l.Kind == platform.BudgetDay && !(ok && holds(b, l)) {
			return false
		}
	}
	return true
}

// holds says that a bucket of the status shows the line.
func holds(b v1alpha1.BucketStatus, l budget.Line) bool {
	return spentOf(b) == l.Spent && b.ResetsAt != nil && b.ResetsAt.Time.Equal(l.EndsAt)
}

func spentOf(b v1alpha1.BucketStatus) int64 { return ptr.Deref(b.Limit, 0) - ptr.Deref(b.Remaining, 0) }

// saved is what an earlier process left in the status.
// The mark says that it counted: then the figures are exact if it ended in an orderly way.
func saved(adapter platform.Adapter, s *v1alpha1.PlatformConnectionStatus, orderly bool) observe.Saved {
	marked := ptr.Deref(s.Counting, false)
	was := observe.Saved{Exact: !marked || orderly, Standing: marked && orderly}
	byName := map[string]v1alpha1.BucketStatus{}
	for _, b := range s.Budget {
		byName[b.Bucket] = b
	}
	for _, b := range adapter.Budgets {
		switch b.Kind {
		case platform.BudgetDay:
			if old, ok := byName[b.Bucket]; ok && old.ResetsAt != nil {
				was.Lines = append(was.Lines, budget.Line{Bucket: b.Bucket, Kind: b.Kind, Date: budget.DateBefore(b, old.ResetsAt.Time), Spent: max(spentOf(old), 0)})
			}
		case platform.BudgetMoney:
			was.Lines, was.Swept = spent(was.Lines, b, s)
		case platform.BudgetWindow, platform.BudgetGauge, platform.BudgetBucket:
		}
	}
	return was
}

// spent adds what the last day has cost, and says whether everybody was paid for on it.
func spent(lines []budget.Line, b platform.Budget, s *v1alpha1.PlatformConnectionStatus) ([]budget.Line, bool) {
	if s.Spend == nil {
		return lines, false
	}
	line := budget.Line{Bucket: b.Bucket, Kind: b.Kind, Date: s.Spend.Day, Spent: microUSD(s.Spend.USD)}
	return append(lines, line), sweptOn(s.Sweep, s.Spend.Day)
}

// sweptOn says that a round began and ended on a UTC day.
func sweptOn(s *v1alpha1.Sweep, day string) bool {
	on := func(t *metav1.Time) bool { return t != nil && t.UTC().Format(time.DateOnly) == day }
	return s != nil && on(s.StartedAt) && on(s.CompletedAt)
}

// limits are what the spec says of the budgets.
func limits(connection *v1alpha1.PlatformConnection, adapter platform.Adapter) (microUSDs int64, units map[string]int) {
	spec := connection.Spec
	if spec.Budget != nil && spec.Budget.DailySpendUSD != "" {
		// Nothing costs as little as a millionth: a limit of nothing is a limit.
		microUSDs = max(microUSD(spec.Budget.DailySpendUSD), 1)
	}
	if spec.Options == nil || spec.Options.YouTube == nil || spec.Options.YouTube.DailyUnits == 0 {
		return microUSDs, nil
	}
	units = map[string]int{}
	for _, read := range adapter.Profiles {
		for _, charge := range read.Charges {
			if b, ok := adapter.Budget(charge.Bucket); ok && b.Kind == platform.BudgetDay {
				units[charge.Bucket] = int(spec.Options.YouTube.DailyUnits)
			}
		}
	}
	return microUSDs, units
}

// microUSD reads US dollars as millionths; the schema has checked the form. Nothing
// and nonsense are 0.
func microUSD(usd string) int64 {
	r, ok := new(big.Rat).SetString(usd)
	if !ok {
		return 0
	}
	r.Mul(r, big.NewRat(1_000_000, 1))
	return new(big.Int).Quo(r.Num(), r.Denom()).Int64()
}

// dollars shows micro-dollars with two decimals, or four where cents are broken,
// rounded up.
func dollars(micro int64) string {
	parts := (micro + 99) / 100
	if parts%100 == 0 {
		return fmt.Sprintf("%d.%02d", parts/10_000, parts/100%100)
	}
	return fmt.Sprintf("%d.%04d", parts/10_000, parts%10_000)
}
