package governance

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/language"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/text"
)

// How sure detection must be: three words of evidence without a word against them
// give 0.75, two give 0.67. Where the platform's own guess agrees, one is enough.
const (
	sure       = 0.6
	sureAgreed = 0.45
)

// enoughPosts is how many posts after a restart outweigh what the status held.
const enoughPosts = 8

// undetermined is the language of words that nobody can tell apart.
var undetermined = [3]byte{'u', 'n', 'd'}

func (c *compiler) languages() {
	l := c.spec.Languages
	if l == nil {
		return
	}
	acts := &c.policy.acts
	if len(l.Allowed) > 0 {
		for i, tag := range l.Allowed {
			path := "spec.languages.allowed" + index(i)
			if _, err := language.Parse(tag); err != nil {
				c.problem(Problem{Rule: ruleAllowedLanguages, Path: path, Text: quote(tag, maxFragment) + " is no BCP 47 language tag"})
			}
			acts.allowed = append(acts.allowed, baseLanguage(tag))
		}
		id := ruleID{c.policy.name, ruleAllowedLanguages}
		c.add(rule{name: ruleAllowedLanguages, judge: deed{id: id, must: onlyPublish, may: ownWords}.judge})
	}
	if l.Primary == v1alpha1.PrimaryFromAccount {
		acts.tellApart = true
		c.add(rule{name: rulePrimaryLanguage, judge: primary{ruleID{c.policy.name, rulePrimaryLanguage}}.judge})
	}
	acts.tellApart = acts.tellApart || len(acts.allowed) > 0
}

// languages judges the act by the languages that the policy allows.
func (t trial) languages() {
	allowed := t.policy.acts.allowed
	if allowed == nil || !ownWords.has(t.act.Action) {
		return
	}
	id := ruleID{t.policy.name, ruleAllowedLanguages}
	switch tag := t.j.language(); {
	case tag == "":
	case tag == string(undetermined[:]):
		t.undecided(id, "the language of "+nounOf(t.act.Action)+" cannot be told with confidence")
	case !slices.Contains(allowed, tag):
		t.violates(id, t.what()+" is in language "+tag+"; allowed: "+list(allowed), 0)
	}
}

// languageOf names the language of an act as a base tag: "" where it says nothing in
// words, "und" where nobody can tell with confidence.
func languageOf(act *Act) string {
	tag, confidence := text.Detect(act.Text)
	switch {
	case confidence >= sure, confidence >= sureAgreed && tag == baseLanguage(act.Language):
		return tag
	case tag == "" && !hasWords(act.Text):
		return ""
	}
	return string(undetermined[:])
}

// hasWords says that there is something to be said in a language: names, links and
// tags are not.
func hasWords(s string) bool {
	for _, field := range strings.Fields(s) {
		if strings.ContainsAny(field, "@#") || strings.Contains(field, "://") {
			continue
		}
		if strings.ContainsFunc(field, unicode.IsLetter) {
			return true
		}
	}
	return false
}

// primary: the language that the account declares leads.
type primary struct{ id ruleID }

func (r primary) judge(s *subject) outcome {
	declared := baseLanguage(s.account.Spec.Language)
	if declared == "" {
		return unknown("cannot be judged: spec.language declares no language")
	}
	if out := s.notJudged(); out.verdict != 0 {
		return out
	}
	if why := s.unread(onlyPublish, ownWords); why != "" {
		return unknown("cannot be judged: " + why)
	}
	t := s.tongues(declared)
	if t.posts < enoughPosts {
		if out, ok := s.standing(r.id, onlyPublish); ok {
			return out
		}
	}
	switch {
	case t.own >= t.most+t.unclear:
		return pass()
	case t.own+t.unclear < t.most:
		return violated("the account declares language " + declared + ", but publishes more in another")
	}
	return unknown("whether language " + declared + " leads cannot be told: the language of too many posts is not clear")
}

// tongues counts posts and replies by language.
type tongues struct {
	own, most, unclear, posts int
}

func (s *subject) tongues(declared string) tongues {
	var t tongues
	var own [3]byte
	copy(own[:], declared)
	var others []tongue
	var room [4]tongue
	others = room[:0]
	for i := range s.in.Activity.acts {
		a := &s.in.Activity.acts[i]
		if !ownWords.has(actions[a.action]) || a.lang == [3]byte{} {
			continue
		}
		t.posts++
		switch a.lang {
		case own:
			t.own++
		case undetermined:
			t.unclear++
		default:
			i := slices.IndexFunc(others, func(o tongue) bool { return o.lang == a.lang })
			if i < 0 {
				i = len(others)
				others = append(others, tongue{lang: a.lang})
			}
			others[i].posts++
			t.most = max(t.most, others[i].posts)
		}
	}
	return t
}

// tongue counts the posts in one language.
type tongue struct {
	lang  [3]byte
	posts int
}
