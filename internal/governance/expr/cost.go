package expr

import (
	"slices"
	"unicode/utf8"

	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// costLimit is the most that one evaluation may cost, in units of CEL: about one for
// each operation and for each ten characters that are read. The benchmarks tell how
// long an evaluation at the limit takes.
const costLimit = 100_000

// The longest texts and lists that the estimate assumes. Longer ones are allowed: the
// cost is then counted.
const (
	maxText   = 10_000
	maxString = 2_048
	maxList   = 256
	// maxRoles is how many roles there are: the schema allows each of them once.
	maxRoles = 4
)

// sizes tells the estimate how long values are.
type sizes struct{}

// EstimateSize is part of checker.CostEstimator.
func (sizes) EstimateSize(node checker.AstNode) *checker.SizeEstimate {
	path := node.Path()
	if len(path) == 2 && path[0] == "post" && path[1] == "text" {
		return &checker.SizeEstimate{Max: maxText}
	}
	if len(path) > 0 && path[len(path)-1] == "roles" {
		return &checker.SizeEstimate{Max: maxRoles}
	}
	switch node.Type().Kind() {
	case types.StringKind:
		return &checker.SizeEstimate{Max: maxString}
	case types.ListKind, types.MapKind:
		return &checker.SizeEstimate{Max: maxList}
	default:
		return nil
	}
}

// EstimateCallCost is part of checker.CostEstimator. Folding reads its text once and
// is no longer than its text but for one ligature, which is eleven times as long.
func (s sizes) EstimateCallCost(function, _ string, target *checker.AstNode, _ []checker.AstNode) *checker.CallEstimate {
	if function != "fold" || target == nil {
		return nil
	}
	size := (*target).ComputedSize()
	if size == nil {
		size = s.EstimateSize(*target)
	}
	if size == nil {
		return nil
	}
	return &checker.CallEstimate{
		CostEstimate: checker.CostEstimate{Min: 1 + size.Min/10, Max: 1 + size.Max},
		ResultSize:   &checker.SizeEstimate{Max: 11 * size.Max},
	}
}

// costs counts what fold costs.
type costs struct{}

// CallCost is part of interpreter.ActualCostEstimator.
func (costs) CallCost(function, _ string, args []ref.Val, _ ref.Val) *uint64 {
	if function != "fold" || len(args) != 1 {
		return nil
	}
	s, ok := args[0].(types.String)
	if !ok {
		return nil
	}
	cost := 1 + uint64(utf8.RuneCountInString(string(s)))
	return &cost
}

// isUsual says that nothing is longer than the estimate assumed.
func (v *Vars) isUsual() bool {
	s := &v.Account.Spec
	if max(len(s.Team), len(s.Attestations), len(s.Acknowledgements), len(v.Account.Labels)) > maxList || len(s.Purpose) > maxString {
		return false
	}
	if slices.ContainsFunc(s.Team, hasManyRoles) {
		return false
	}
	if v.Live != nil && len(v.Live.Bio) > 4*maxString {
		return false
	}
	return v.Post == nil || len(v.Post.Text) <= maxText && len(v.Post.Links) <= maxList
}

func hasManyRoles(m v1alpha1.TeamMember) bool { return len(m.Roles) > maxRoles }
