package expr

import (
	"errors"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/interpreter"
)

// Why says why an expression has no value.
type Why uint8

const (
	// NotReadable says that the platform does not tell Field, or the account cannot be read.
	NotReadable Why = iota + 1
	// NotSet says that Field is known to have no value, and the expression did not ask has().
	NotSet
	// TooCostly says that the evaluation was stopped at the cost limit.
	TooCostly
	// Failed says that an operation has no result, as a division by zero.
	Failed
)

// Unknown says that an expression has no value. It is never a pass.
type Unknown struct {
	Why Why
	// Field is what is missing, as expressions name it: live.verified. Empty for
	// TooCostly and Failed.
	Field string
	// Position is where the evaluation failed, in code points from 0; 0 if that is
	// not known.
	Position int
}

// Error is the reason as a clause. It quotes no data.
func (u *Unknown) Error() string {
	switch u.Why {
	case NotReadable:
		return "the platform does not tell " + u.Field
	case NotSet:
		return u.Field + " is not set, and the expression does not ask has(" + u.Field + ")"
	case TooCostly:
		return "the expression costs too much to evaluate"
	default:
		return "an operation of the expression has no result"
	}
}

// Eval evaluates the expression. The error is an *Unknown. What the result does not
// depend on need not be known: true || x is true whatever x is.
func (p *Program) Eval(v *Vars) (bool, error) {
	program := p.limited
	if p.proven != nil && v.isUsual() {
		program = p.proven
	}
	out, _, err := program.Eval(v)
	if err != nil {
		return false, p.unknown(err)
	}
	yes, ok := out.(types.Bool)
	if !ok {
		return false, &Unknown{Why: Failed}
	}
	return bool(yes), nil
}

func (p *Program) unknown(err error) *Unknown {
	var unknown *Unknown
	if errors.As(err, &unknown) {
		return unknown
	}
	var cancelled interpreter.EvalCancelledError
	if errors.As(err, &cancelled) {
		return &Unknown{Why: TooCostly}
	}
	return &Unknown{Why: Failed, Position: p.position(err)}
}

// position is where the operation stands that failed.
func (p *Program) position(err error) int {
	var failed *types.Err
	if !errors.As(err, &failed) {
		return 0
	}
	info := p.ast.NativeRep().SourceInfo()
	at, ok := info.GetOffsetRange(failed.NodeID())
	if !ok {
		return 0
	}
	return int(at.Start)
}
