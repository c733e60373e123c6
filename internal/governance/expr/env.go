package expr

import (
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"

	"mithaq.dev/mithaq/internal/text"
)

const (
	// maxSource is the longest expression, in code points, as in the schema.
	maxSource = 2048
	// maxDepth bounds nested parentheses, calls and lists.
	maxDepth = 50
	// maxLoops bounds comprehensions inside each other.
	maxLoops = 2
)

var environments = [...]func() (*cel.Env, error){
	Account: sync.OnceValues(func() (*cel.Env, error) { return newEnv() }),
	Post:    sync.OnceValues(func() (*cel.Env, error) { return newEnv(cel.Variable("post", cel.ObjectType(postType))) }),
}

func newEnv(more ...cel.EnvOption) (*cel.Env, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	return cel.NewCustomEnv(append([]cel.EnvOption{
		cel.StdLib(),
		cel.CustomTypeAdapter(registry),
		cel.CustomTypeProvider(schema{registry}),
		cel.ParserExpressionSizeLimit(maxSource),
		cel.ParserRecursionLimit(maxDepth),
		cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true),
		cel.Variable("account", cel.ObjectType(accountType)),
		cel.Variable("live", cel.ObjectType(liveType)),
		cel.Variable("team", cel.ListType(cel.ObjectType(memberType))),
		cel.Variable("now", cel.TimestampType),
		cel.Function("fold", cel.MemberOverload("string_fold", []*cel.Type{cel.StringType}, cel.StringType, cel.UnaryBinding(fold))),
		ext.Strings(), ext.Lists(), ext.Sets(),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateDurationLiterals(),
			cel.ValidateHomogeneousAggregateLiterals(), cel.ValidateComprehensionNestingLimit(maxLoops)),
	}, more...)...)
}

// fold makes text comparable as text.Fold does.
func fold(v ref.Val) ref.Val {
	s, ok := v.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(v)
	}
	return types.String(text.Fold(string(s)))
}
