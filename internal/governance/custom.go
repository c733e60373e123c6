package governance

func (c *compiler) custom() {
	for i, r := range c.spec.Rules {
		name, path := "rules/"+string(r.Name), "spec.rules"+index(i)
		e := c.expression(name, path+".expression", accountExpression, r.Expression)
		c.provide(name, path, r.Provision, func(s *subject) outcome { return judgeExpression(e, s) })
	}
}

// judgeExpression: the expression yields true for an account that meets the rule.
func judgeExpression(e *expression, s *subject) outcome {
	switch state, why := e.account(s); state {
	case yes:
		return pass()
	case maybe:
		return unknown("cannot be judged: " + why)
	default:
		return violated("the account does not meet the rule's expression")
	}
}
