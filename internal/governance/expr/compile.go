package expr

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common"
)

// Kind says what an expression is about.
type Kind uint8

const (
	// Account expressions see account, live, team and now.
	Account Kind = iota
	// Post expressions see post too.
	Post
)

// Fault is why an expression is not accepted.
type Fault struct {
	// Position is where, in code points from 0.
	Position int
	// Text is what is wrong, as a clause on one line.
	Text string
}

// maxFaultText is the longest Fault.Text, in code points.
const maxFaultText = 200

// Program is a compiled expression. It is safe for concurrent use.
type Program struct {
	// limited counts what it costs and stops at costLimit.
	limited cel.Program
	// proven counts nothing: it costs at most costLimit if no text or list is longer
	// than the sizes that the estimate assumed. Nil: that is not known.
	proven cel.Program
	ast    *cel.Ast
}

// Compile parses and type-checks an expression that yields a boolean. It is refused
// if it cannot be evaluated within a bounded cost. With a fault there is no program.
func Compile(kind Kind, source string) (*Program, *Fault) {
	env, err := environments[kind]()
	if err != nil {
		return nil, &Fault{Text: "expressions cannot be compiled: " + oneLine(err.Error())}
	}
	if !utf8.ValidString(source) {
		return nil, &Fault{Text: "the expression is not valid UTF-8"}
	}
	parsed, issues := env.Compile(source)
	if issues.Err() != nil {
		return nil, firstFault(source, issues.Errors())
	}
	if parsed.OutputType() != cel.BoolType {
		return nil, &Fault{Text: "the expression yields " + oneLine(parsed.OutputType().String()) + ", not a boolean"}
	}
	return plan(env, parsed)
}

func plan(env *cel.Env, parsed *cel.Ast) (*Program, *Fault) {
	p := &Program{ast: parsed}
	estimate, err := env.EstimateCost(parsed, sizes{})
	if err != nil {
		return nil, &Fault{Text: "its cost cannot be estimated: " + oneLine(err.Error())}
	}
	if estimate.Min > costLimit {
		return nil, &Fault{Text: fmt.Sprintf("it costs at least %d, and %d is the limit", estimate.Min, costLimit)}
	}
	if p.limited, err = env.Program(parsed, cel.EvalOptions(cel.OptOptimize), cel.CostTracking(costs{}), cel.CostLimit(costLimit)); err != nil {
		return nil, &Fault{Text: oneLine(err.Error())}
	}
	if estimate.Max > costLimit {
		return p, nil
	}
	if p.proven, err = env.Program(parsed, cel.EvalOptions(cel.OptOptimize)); err != nil {
		return nil, &Fault{Text: oneLine(err.Error())}
	}
	return p, nil
}

// firstFault is the error that stands first.
func firstFault(source string, errs []*common.Error) *Fault {
	lines := strings.Split(source, "\n")
	var first *Fault
	for _, e := range errs {
		f := &Fault{Position: offset(lines, e.Location), Text: oneLine(e.Message)}
		if first == nil || f.Position < first.Position {
			first = f
		}
	}
	return first
}

// offset is where a place in lines is in the whole text. A parser that gave up knows
// no place: it counts as the beginning.
func offset(lines []string, at common.Location) int {
	n := 0
	for i := 0; i < at.Line()-1 && i < len(lines); i++ {
		n += utf8.RuneCountInString(lines[i]) + 1
	}
	return max(0, n+at.Column())
}

// oneLine makes a message of CEL a clause.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= maxFaultText {
		return s
	}
	return string([]rune(s)[:maxFaultText-1]) + "…"
}
