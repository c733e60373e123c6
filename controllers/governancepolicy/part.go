package governancepolicy

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/tally"
)

// part is what one shard knows of a policy. All parts together are the policy's counts:
// each account is counted in one of them.
type part struct {
	UID types.UID
	// Epoch is the reign of the layout under which it was counted.
	Epoch   int64
	Counts  tally.Policy
	Preview *previewPart `json:",omitempty"`
}

// previewPart is a preview of some accounts.
type previewPart struct {
	// Digest is the edition's.
	Digest   string
	Accounts int
	All      difference
	Tiers    map[v1alpha1.TierName]*difference
	Rules    map[string]*difference
	// Worse and Better are the first few, in the order of their names.
	Worse, Better []string
}

func (c *comparison) part() *previewPart {
	return &previewPart{
		Digest: c.candidate.Digest(), Accounts: c.accounts, All: c.all, Tiers: c.tiers, Rules: c.rules,
		Worse: first(c.worse), Better: first(c.better),
	}
}

func first(names []string) []string {
	slices.Sort(names)
	return names[:min(len(names), maxExamples)]
}

// add adds another part of the fleet.
func (p *previewPart) add(other *previewPart) {
	p.Accounts += other.Accounts
	p.All.add(&other.All)
	for tier, d := range other.Tiers {
		entry(p.Tiers, tier).add(d)
	}
	for rule, d := range other.Rules {
		entry(p.Rules, rule).add(d)
	}
	p.Worse, p.Better = first(slices.Concat(p.Worse, other.Worse)), first(slices.Concat(p.Better, other.Better))
}

// result shows the worst first.
func (p *previewPart) result() *v1alpha1.PolicyPreview {
	examples := slices.Concat(p.Worse, p.Better)
	out := &v1alpha1.PolicyPreview{
		Accounts: ptr.To(int32(p.Accounts)), Unknown: ptr.To(int32(p.All.Unknown)), NewlyViolating: ptr.To(int32(p.All.Violating)),
		NewlyClean: ptr.To(int32(p.All.Clean)), Examples: examples[:min(len(examples), maxExamples)],
	}
	for _, tier := range inOrder(p.Tiers, maxTiers) {
		d := p.Tiers[tier]
		out.Tiers = append(out.Tiers, v1alpha1.TierPreview{Tier: tier, NewlyViolating: ptr.To(int32(d.Violating)), NewlyClean: ptr.To(int32(d.Clean))})
	}
	for _, rule := range inOrder(p.Rules, maxRules) {
		d := p.Rules[rule]
		out.Rules = append(out.Rules, v1alpha1.RulePreview{Rule: rule, NewlyViolating: ptr.To(int32(d.Violating)), NewlyClean: ptr.To(int32(d.Clean)), Unknown: ptr.To(int32(d.Unknown))})
	}
	for _, rule := range slices.Sorted(maps.Keys(p.Rules)) {
		if len(out.Unjudged) < maxRules && p.Rules[rule].Unknown > 0 && isAboutActs(rule) {
			out.Unjudged = append(out.Unjudged, rule)
		}
	}
	return out
}

// together adds up what all shards show of a policy; false while one shows nothing of
// it yet.
func (r *Reconciler) together(ctx context.Context, policy *v1alpha1.GovernancePolicy, mine *part) (*part, bool, error) {
	shown, complete, err := r.Board.All(ctx, policy.Name)
	if err != nil || mine == nil {
		return nil, false, err
	}
	parts := []*part{mine}
	for shard, one := range shown {
		if shard == r.Board.Shard {
			continue // the cache may lag behind
		}
		if one.Raw == nil {
			return nil, false, nil
		}
		var other part
		if err := json.Unmarshal(one.Raw, &other); err != nil {
			return nil, false, fmt.Errorf("reading what shard %d shows of policy %s: %w", shard, policy.Name, err)
		}
		parts = append(parts, &other)
	}
	sum, same := add(policy.UID, parts)
	return sum, (complete || len(parts) == len(shown)) && same, nil
}

// add adds parts up; false if one is of an earlier policy of the name, or of an earlier
// reign than the first. There is no preview unless all are of one edition.
func add(uid types.UID, parts []*part) (*part, bool) {
	sum := &part{UID: uid}
	rules := map[string]tally.RuleCount{}
	previews := []*previewPart{}
	for _, p := range parts {
		if p.UID != uid || p.Epoch != parts[0].Epoch {
			return nil, false
		}
		sum.Counts.Selected += p.Counts.Selected
		sum.Counts.Compliant += p.Counts.Compliant
		sum.Counts.Violating += p.Counts.Violating
		sum.Counts.Unknown += p.Counts.Unknown
		for _, rule := range p.Counts.Rules {
			was := rules[rule.Rule]
			rules[rule.Rule] = tally.RuleCount{Rule: rule.Rule, Violated: was.Violated + rule.Violated, Unknown: was.Unknown + rule.Unknown}
		}
		if p.Preview != nil && p.Preview.Digest == parts[0].digest() {
			previews = append(previews, p.Preview)
		}
	}
	sum.Counts.Rules = tally.WorstFirst(slices.Collect(maps.Values(rules)))
	if len(previews) == len(parts) {
		sum.Preview = &previewPart{Digest: previews[0].Digest, Tiers: map[v1alpha1.TierName]*difference{}, Rules: map[string]*difference{}}
		for _, p := range previews {
			sum.Preview.add(p)
		}
	}
	return sum, true
}

func (p *part) digest() string {
	if p.Preview == nil {
		return ""
	}
	return p.Preview.Digest
}
