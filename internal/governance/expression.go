package governance

import (
	"mithaq.dev/mithaq/api/v1alpha1"
)

type expressionKind bool

const (
	accountExpression expressionKind = false
	postExpression    expressionKind = true
)

type expression struct{}

func (c *compiler) expression(rule, path string, kind expressionKind, source v1alpha1.Expression) *expression {
	if source == "" || !c.safe(rule, path, string(source)) {
		return nil
	}
	return &expression{}
}

func (e *expression) post(t trial) (truth, string) { return maybe, "not evaluated" }

func (e *expression) account(s *subject) (truth, string) { return maybe, "not evaluated" }
