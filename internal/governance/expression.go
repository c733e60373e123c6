package governance

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance/expr"
)

// expression is a compiled CEL expression; nil: there is none.
type expression = expr.Program

func (c *compiler) expression(rule, path string, kind expr.Kind, source v1alpha1.Expression) *expression {
	if source == "" || !c.safe(rule, path, string(source)) {
		return nil
	}
	program, fault := expr.Compile(kind, string(source))
	if fault != nil {
		c.problem(Problem{Rule: rule, Path: path, Position: fault.Position, Text: clean(fault.Text, maxMessage)})
		return nil
	}
	return program
}

func (c *compiler) custom() {
	for i, r := range c.spec.Rules {
		name, path := "rules/"+string(r.Name), "spec.rules"+index(i)
		program := c.expression(name, path+".expression", expr.Account, r.Expression)
		c.provide(name, path, r.Provision, func(s *subject) outcome { return s.meets(program) })
	}
}

// meets judges by an expression, which yields true for an account that meets the rule.
func (s *subject) meets(program *expression) outcome {
	if s.vars.Account == nil {
		s.vars.Account, s.vars.Now = s.account, s.in.Now
		if s.live != nil {
			s.vars.Live, s.vars.Readable = s.live.Profile, expr.Facts(s.live.Readable)
		}
	}
	met, err := program.Eval(&s.vars)
	switch {
	case err != nil && s.live == nil && isUnread(err):
		return s.notSeen()
	case err != nil:
		return unknown("cannot be judged: " + explain(err))
	case met:
		return pass()
	}
	return violated("the account does not meet the rule's expression")
}

// isUnread says that an expression asked for what the platform did not tell.
func isUnread(err error) bool {
	var why *expr.Unknown
	return errors.As(err, &why) && why.Why == expr.NotReadable && strings.HasPrefix(why.Field, "live.")
}

// explain says why an expression has no value, as a clause.
func explain(err error) string {
	text := clean(err.Error(), 2*maxQuote)
	var why *expr.Unknown
	if errors.As(err, &why) && why.Position > 0 {
		text += ", at position " + strconv.Itoa(why.Position)
	}
	return text
}

// asks says what an expression says of the act.
func (t trial) asks(program *expression) (truth, string) {
	met, err := program.Eval(t.j.vars())
	switch {
	case err != nil:
		return maybe, explain(err)
	case met:
		return yes, t.what() + " meets the rule's expression"
	}
	return no, ""
}

// vars are what expressions see of the act.
func (j *judgement) vars() *expr.Vars {
	if j.reading.vars != nil {
		return j.reading.vars
	}
	act := j.reading.act
	post := &expr.PostVars{
		ID: act.ID, Action: act.Action, At: act.At, EditedAt: act.EditedAt, Text: act.Text, URL: act.URL,
		Links: slices.Clone(j.links()), Language: j.known(), By: act.By,
	}
	if act.Action != v1alpha1.ActionPublish {
		post.Target = j.target(act.Target)
	}
	vars := &expr.Vars{Account: j.in.Account, Now: j.in.Now, Post: post}
	if live := j.in.Live; live != nil && live.Profile != nil {
		vars.Live, vars.Readable = live.Profile, expr.Facts(live.Readable)
	}
	j.reading.vars = vars
	return vars
}

// known is the act's language, "" where it is not known.
func (j *judgement) known() string {
	if tag := j.language(); tag != string(undetermined[:]) {
		return tag
	}
	return ""
}

func (j *judgement) target(to Target) *expr.TargetVars {
	target := &expr.TargetVars{ID: to.ID, Handle: to.Handle, Known: to.Known && (to.ID != "" || to.Handle != "")}
	if target.Known && j.in.Governed != nil {
		governed := isSelf(j.in.Account, to) || j.in.Governed(j.in.Account.Spec.Platform, to.ID, to.Handle)
		target.Governed = &governed
	}
	return target
}
