package world

// BudgetCount is what was spent of one kind of budget of a platform.
type BudgetCount struct {
	Platform Platform `json:"platform"`
	// Bucket is the kind of budget, never one account's or token's own.
	Bucket string `json:"bucket"`
	// Day is the day of a budget that a day limits, in the platform's own time zone;
	// empty for others.
	Day string `json:"day,omitempty"`
	// Units are those that the platform granted: calls, units, requests.
	Units int64 `json:"units"`
	// Exceeded are those asked for beyond the published limit.
	Exceeded int64 `json:"exceeded"`
	// Peak is the largest share of any single budget of this kind that was used at
	// a time, in percent.
	Peak float64 `json:"peak"`
}

type budgetKey struct {
	platform    Platform
	bucket, day string
}

// CountBudget records units granted and units beyond the limit, and how much of
// that very budget is used now, in percent.
func (w *World) CountBudget(p Platform, bucket string, granted, exceeded int64, percent float64) {
	w.AddBudget(BudgetCount{Platform: p, Bucket: bucket, Units: granted, Exceeded: exceeded, Peak: percent})
}

// AddBudget adds units and units beyond the limit to a budget, which a day may
// limit; the peak is the larger of the two.
func (w *World) AddBudget(c BudgetCount) {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	key := budgetKey{c.Platform, c.Bucket, c.Day}
	b, ok := w.ledger.budgets[key]
	if !ok {
		b = &BudgetCount{Platform: c.Platform, Bucket: c.Bucket, Day: c.Day}
		w.ledger.budgets[key] = b
	}
	b.Units += c.Units
	b.Exceeded += c.Exceeded
	b.Peak = max(b.Peak, c.Peak)
}

// BudgetExceeded sums the units of a platform that went beyond a published limit.
func (l Ledger) BudgetExceeded(p Platform) int64 {
	sum := int64(0)
	for _, b := range l.Budgets {
		if b.Platform == p {
			sum += b.Exceeded
		}
	}
	return sum
}

// BudgetUnits sums the units of a platform's bucket that were granted.
func (l Ledger) BudgetUnits(p Platform, bucket string) int64 {
	sum := int64(0)
	for _, b := range l.Budgets {
		if b.Platform == p && b.Bucket == bucket {
			sum += b.Units
		}
	}
	return sum
}
