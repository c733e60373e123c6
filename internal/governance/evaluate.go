package governance

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Live is what the platform shows of an account.
type Live struct {
	// Profile holds text that is already safe to show.
	Profile *v1alpha1.LiveProfile
	// Readable are the facts that this observation could read. A fact that is
	// not in it is unknown, never empty.
	Readable Facts
	// LinksBack says whether the website of the profile links to the account, where
	// somebody has looked; nil: nobody has.
	LinksBack *bool
}

// Input is everything that a judgement rests on.
type Input struct {
	Account *v1alpha1.SocialAccount
	// Policies select the account and are in force. Those of mode Preview are
	// left out by Evaluate.
	Policies []*Policy
	// Live is nil if the account cannot be read; LiveMissing says why, as a
	// clause for messages: "the account is suspended".
	Live        *Live
	LiveMissing string
	// AccountsOf counts the accounts of the whole fleet that a person answers
	// for or works on, this one included. The person comes as PersonKey. Nil: the
	// fleet is not known.
	AccountsOf func(person string) int
	// EditionSince tells when the edition of the named policy came into force,
	// which starts the time that people have to acknowledge it. Nil or the zero
	// time: not known.
	EditionSince func(policy string) time.Time
	// Activity is what Judge has made of what the account did; nil: nothing was read.
	Activity *Record
	Now      time.Time
}

// Verdict is the outcome of a rule.
type Verdict uint8

// The verdicts. The zero value is none: the rule does not apply.
const (
	// Pass: there is evidence that the rule is met.
	Pass Verdict = iota + 1
	// Violated: there is evidence that it is not.
	Violated
	// Unknown: evidence is missing.
	Unknown
	// Excepted: the policy suspends the rule for this account, for a while.
	Excepted
)

var verdictNames = [...]string{"None", "Pass", "Violated", "Unknown", "Excepted"}

// String is the verdict's name.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return verdictNames[0]
}

// RuleResult is the verdict of one rule of one policy.
type RuleResult struct {
	Policy  string
	Rule    string
	Verdict Verdict
	Mode    v1alpha1.FindingMode
}

// Result is the judgement of one account.
type Result struct {
	// Findings are all rules that are violated or unknown, worst first: Enforce
	// before Audit, Violated before Unknown, then severity, rule and policy. A rule
	// about acts has one for each act that violates it, newest first.
	// Since and Responsible are left to the caller. The evidence of an Unknown
	// finding is Unobservable, whatever the reason: nothing was read that shows
	// the fact.
	Findings []v1alpha1.Finding
	// Rules holds every rule that applies, policies by name, rules in the order
	// of the policy's sections.
	Rules                               []RuleResult
	Passed, Violated, Unknown, Excepted int
	// Digest identifies the policies and editions that were judged.
	Digest string
	// NextChange is a moment after Now before which time alone does not change
	// the result. Zero: time alone never does.
	NextChange time.Time
}

// outcome is what a rule says about a subject. The zero value: the rule does not
// apply.
type outcome struct {
	verdict Verdict
	message string
	// next is when time alone may change the outcome; zero: never.
	next time.Time
	// acts: the findings are about single acts.
	acts bool
}

func pass() outcome { return outcome{verdict: Pass} }

func violated(message string) outcome { return outcome{verdict: Violated, message: message} }

func unknown(message string) outcome { return outcome{verdict: Unknown, message: message} }

// Evaluate judges an account against every rule of every policy of in. It never
// stops at the first violation.
func Evaluate(in Input) Result {
	policies := inOrder(in.Policies)
	rules := 0
	for _, p := range policies {
		rules += len(p.rules)
	}
	res := Result{Rules: make([]RuleResult, 0, rules), Digest: digestOf(policies)}
	s := newSubject(in)
	defer s.free()
	if in.Activity != nil {
		s.recordHolds, s.gaps = in.Activity.holds(policies), gapsOf(in.Activity)
	}
	for _, p := range policies {
		for i := range p.rules {
			res.add(p, &p.rules[i], s)
		}
	}
	slices.SortStableFunc(res.Findings, worstFirst)
	return res
}

// inOrder are the policies that touch accounts, by name. The common case, a list
// that already is so, costs nothing.
func inOrder(policies []*Policy) []*Policy {
	byName := func(a, b *Policy) int { return strings.Compare(a.name, b.name) }
	dormant := func(p *Policy) bool { return !p.inForce() }
	if slices.ContainsFunc(policies, dormant) {
		policies = slices.DeleteFunc(slices.Clone(policies), dormant)
	}
	if !slices.IsSortedFunc(policies, byName) {
		policies = slices.Clone(policies)
		slices.SortStableFunc(policies, byName)
	}
	return policies
}

func (res *Result) add(p *Policy, r *rule, s *subject) {
	out := s.judge(r)
	if out.verdict == 0 {
		return
	}
	if until := r.exceptedUntil(s); !until.IsZero() {
		out = outcome{verdict: Excepted, next: until}
	}
	res.Rules = append(res.Rules, RuleResult{Policy: p.name, Rule: r.name, Verdict: out.verdict, Mode: r.mode})
	res.NextChange = sooner(res.NextChange, out.next)
	switch out.verdict {
	case Pass:
		res.Passed++
	case Excepted:
		res.Excepted++
	case Violated:
		res.Violated++
	case Unknown:
		res.Unknown++
	}
	res.report(p, r, out, s)
}

// report adds the findings of a rule that does not pass.
func (res *Result) report(p *Policy, r *rule, out outcome, s *subject) {
	switch {
	case out.verdict != Violated && out.verdict != Unknown:
	case out.acts:
		res.findActs(p, r, out, s)
	case out.verdict == Violated:
		f := finding(p, r, out, v1alpha1.VerdictViolated, r.evidence)
		f.Message = r.say(s, out.message)
		res.find(f)
	default:
		res.find(finding(p, r, out, v1alpha1.VerdictUnknown, unobservable))
	}
}

// find leaves room for a few at once: where one rule fails, others do.
func (res *Result) find(f v1alpha1.Finding) {
	if res.Findings == nil {
		res.Findings = make([]v1alpha1.Finding, 0, 8)
	}
	res.Findings = append(res.Findings, f)
}

func finding(p *Policy, r *rule, out outcome, v v1alpha1.Verdict, e v1alpha1.Evidence) v1alpha1.Finding {
	return v1alpha1.Finding{
		Rule:          r.name,
		Policy:        v1alpha1.ObjectName(p.name),
		PolicyVersion: p.spec.Version,
		Control:       r.control,
		LegalBasis:    r.legalBasis,
		Severity:      r.severity,
		Verdict:       v,
		Mode:          r.mode,
		Evidence:      e,
		Message:       shorten(out.message, maxMessage),
	}
}

// exceptedUntil is when the last of the exceptions that cover the subject now
// ends; zero: none covers it.
func (r *rule) exceptedUntil(s *subject) time.Time {
	var last time.Time
	for i := range r.exceptions {
		e := &r.exceptions[i]
		if s.in.Now.Before(e.until) && e.until.After(last) && matches(e.accounts, s.account.Labels) {
			last = e.until
		}
	}
	return last
}

func worstFirst(a, b v1alpha1.Finding) int {
	if d := rank(&a) - rank(&b); d != 0 {
		return d
	}
	if d := strings.Compare(a.Rule, b.Rule); d != 0 {
		return d
	}
	return cmp.Compare(a.Policy, b.Policy)
}

// rank orders findings by mode, then verdict, then severity; the worst is least.
func rank(f *v1alpha1.Finding) int {
	return boolInt(f.Mode != v1alpha1.FindingEnforce)<<8 |
		boolInt(f.Verdict != v1alpha1.VerdictViolated)<<4 |
		(severityRank(v1alpha1.SeverityCritical) - severityRank(f.Severity))
}

func severityRank(s v1alpha1.Severity) int {
	switch s {
	case v1alpha1.SeverityCritical:
		return 4
	case v1alpha1.SeverityHigh:
		return 3
	case v1alpha1.SeverityMedium:
		return 2
	case v1alpha1.SeverityLow:
		return 1
	default:
		return 0
	}
}

// sooner is the earlier of two moments, of which the zero time says nothing.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// digestOf identifies policies, which come by name.
func digestOf(policies []*Policy) string {
	if len(policies) == 1 {
		return policies[0].alone
	}
	return digestAll(policies)
}

func digestAll(policies []*Policy) string {
	h := sha256.New()
	for _, p := range policies {
		h.Write([]byte(p.digest))
	}
	return hex.EncodeToString(h.Sum(nil))
}
