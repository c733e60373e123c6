package governance

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance/expr"
	"mithaq.dev/mithaq/internal/text"
)

// textRule is a rule of content or sources.
type textRule struct {
	id         ruleID
	fold       text.Folding
	patterns   []search
	expression *expression // nil: none
	// domains are those of which one must be linked; nil: a match violates.
	domains []string
}

// termSet finds the terms of all rules of one folding at once.
type termSet struct {
	matcher *text.Matcher // nil: there are no terms
	terms   []string
	// owners tell of which rule each term is.
	owners []int
}

// written are the actions that put words on the account's page.
var written = actionsOf([]v1alpha1.ActivityAction{v1alpha1.ActionPublish, v1alpha1.ActionReply, v1alpha1.ActionRepost})

var (
	onlyPublish = actionsOf([]v1alpha1.ActivityAction{v1alpha1.ActionPublish})
	ownWords    = actionsOf([]v1alpha1.ActivityAction{v1alpha1.ActionPublish, v1alpha1.ActionReply})
)

func (c *compiler) content() {
	for i, r := range c.spec.Content {
		name, path := "content/"+string(r.Name), "spec.content"+index(i)
		c.text(name, path+".anyOf", r.AnyOf, foldingOf(r.Fold), nil)
		c.provide(name, path, r.Provision, deed{id: ruleID{c.policy.name, name}, must: onlyPublish, may: written}.judge)
	}
	for i, r := range c.spec.Sources {
		name, path := "sources/"+string(r.Name), "spec.sources"+index(i)
		domains := c.domains(r.LinkDomains)
		c.text(name, path+".when", r.When, text.Arabic, domains)
		c.provide(name, path, r.Provision, deed{id: ruleID{c.policy.name, name}, must: onlyPublish, may: written}.judge)
	}
	for fold := range c.policy.acts.terms {
		c.policy.acts.terms[fold].compile(text.Folding(fold))
	}
}

func foldingOf(fold v1alpha1.Fold) text.Folding {
	if fold == v1alpha1.FoldNone {
		return text.None
	}
	return text.Arabic
}

// text compiles what a rule looks for.
func (c *compiler) text(rule, path string, match v1alpha1.TextMatch, fold text.Folding, domains []string) {
	compiled := textRule{id: ruleID{c.policy.name, rule}, fold: fold, domains: domains}
	set := &c.policy.acts.terms[fold]
	for i, term := range match.Terms {
		if c.term(rule, path+".terms"+index(i), term, fold) {
			set.terms = append(set.terms, term)
			set.owners = append(set.owners, len(c.policy.acts.texts))
		}
	}
	for i, p := range match.Patterns {
		if re := c.pattern(rule, path+".patterns"+index(i), p); re != nil {
			compiled.patterns = append(compiled.patterns, newSearch(re))
		}
	}
	compiled.expression = c.expression(rule, path+".expression", expr.Post, match.Expression)
	c.policy.acts.texts = append(c.policy.acts.texts, compiled)
}

// term says that a term can be looked for.
func (c *compiler) term(rule, path, term string, fold text.Folding) bool {
	if !c.safe(rule, path, term) {
		return false
	}
	if _, err := text.NewMatcher([]string{term}, fold); err != nil {
		why := cmp.Or(errors.Unwrap(err), err) // without the number of the term
		c.problem(Problem{Rule: rule, Path: path, Text: "the term cannot be found in any text: " + clean(why.Error(), maxQuote)})
		return false
	}
	return true
}

// safe says that a declared text hides nothing from who reads the policy.
func (c *compiler) safe(rule, path, s string) bool {
	r, offset, unsafe := text.Unsafe(s)
	if unsafe {
		c.problem(Problem{
			Rule: rule, Path: path, Position: utf8.RuneCountInString(s[:offset]),
			Text: "the text holds " + codePoint(r) + ", a character that hides or reorders what people read",
		})
	}
	return !unsafe
}

func codePoint(r rune) string {
	digits := strconv.FormatInt(int64(r), 16)
	for len(digits) < 4 {
		digits = "0" + digits
	}
	return "U+" + strings.ToUpper(digits)
}

// compile builds the automaton. Every term was tried alone before.
func (set *termSet) compile(fold text.Folding) {
	if len(set.terms) == 0 {
		return
	}
	m, err := text.NewMatcher(set.terms, fold)
	if err == nil {
		set.matcher = m
	}
	set.terms = slices.Clip(set.terms)
}

// texts judges the act by what the policy says of words.
func (t trial) texts() {
	rules := t.policy.acts.texts
	if len(rules) == 0 || t.act.Action == v1alpha1.ActionFollow {
		return
	}
	terms := t.findTerms()
	for i := range rules {
		switch found := rules[i].judge(t, terms[i]); found.state {
		case yes:
			t.violates(rules[i].id, found.detail, found.near)
		case maybe:
			t.undecided(rules[i].id, found.detail)
		case no:
		}
	}
}

// judge says whether the act violates the rule.
func (r *textRule) judge(t trial, term hit) hit {
	if r.domains == nil {
		return r.find(t, term)
	}
	if t.act.Action == v1alpha1.ActionLike {
		return hit{} // who likes informs nobody
	}
	found := r.find(t, term)
	if found.state == no {
		return found
	}
	return t.uncited(r, found)
}

// hit is what a rule finds in a text.
type hit struct {
	state truth
	// detail says what was found, or what is missing.
	detail string
	// near is the byte where it stands.
	near int
}

// findTerms finds, for each rule, the first of its terms.
func (t trial) findTerms() []hit {
	hits := append(t.j.hits[:0], make([]hit, len(t.policy.acts.texts))...)
	t.j.hits = hits
	for fold := range t.policy.acts.terms {
		set := &t.policy.acts.terms[fold]
		if set.matcher == nil {
			continue
		}
		for _, m := range set.matcher.Find(t.act.Text, 0) {
			if h := &hits[set.owners[m.Term]]; h.state == no || m.Start < h.near {
				*h = hit{yes, t.what() + " contains the term " + quote(set.terms[m.Term], maxQuote), m.Start}
			}
		}
	}
	return hits
}

// find looks for terms, patterns and expression, the cheapest first.
func (r *textRule) find(t trial, term hit) hit {
	if term.state == yes {
		return term
	}
	for i, pattern := range r.patterns {
		if at := r.matchAt(t, pattern); at >= 0 {
			return hit{yes, t.what() + " matches pattern " + strconv.Itoa(i+1) + " of the rule", at}
		}
	}
	if r.expression == nil {
		return hit{}
	}
	state, why := t.asks(r.expression)
	return hit{state, why, 0}
}

// matchAt tells where a pattern stands; -1: nowhere. A pattern may be written for the
// text as people write it, or for what folding makes of it: both are tried.
func (r *textRule) matchAt(t trial, pattern search) int {
	if at := pattern.find(t.act.Text); at >= 0 || r.fold == text.None {
		return at
	}
	return min(pattern.find(t.j.folded()), 0)
}
