package budget

// Part is which part of a connection's budgets a process may spend, where several
// processes share them. The zero Part is all of them.
type Part struct {
	// Index is the part, from 0; Of how many parts there are.
	Index, Of int
}

// Divide divides units so that all parts together are exactly the whole. Of few units a
// part may be none.
func (p Part) Divide(units int64) int64 {
	n, i := int64(p.parts()), int64(p.Index)
	return units*(i+1)/n - units*i/n
}

func (p Part) parts() int { return max(p.Of, 1) }

// share is a part of a percentage of a published limit. Who is alone has at least one
// unit, or nothing would ever be asked.
func (p Part) share(limit int64, percent int) int64 {
	units := p.Divide(limit * int64(percent) / 100)
	if p.parts() == 1 {
		return max(units, 1)
	}
	return units
}
