package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"sigs.k8s.io/yaml"
)

// exception accepts what one linter says about one field, for a reason.
type exception struct {
	Linter string `json:"linter"`
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

type rule struct{ linter, field string }

// readExceptions refuses an entry that is not argued, or made twice.
func readExceptions(file string) ([]exception, error) {
	if file == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var exceptions []exception
	if err := yaml.UnmarshalStrict(raw, &exceptions); err != nil {
		return nil, err
	}
	var problems []error
	seen := map[rule]bool{}
	for i, e := range exceptions {
		key := rule{e.Linter, e.Field}
		switch {
		case e.Linter == "" || e.Field == "":
			problems = append(problems, fmt.Errorf("entry %d needs a linter and a field", i+1))
		case len(strings.Fields(e.Reason)) == 0:
			problems = append(problems, fmt.Errorf("entry %d {linter: %s, field: %s} gives no reason", i+1, e.Linter, e.Field))
		case seen[key]:
			problems = append(problems, fmt.Errorf("entry %d {linter: %s, field: %s} is there twice", i+1, e.Linter, e.Field))
		}
		seen[key] = true
	}
	return exceptions, errors.Join(problems...)
}

// match splits off the findings that no exception covers and the exceptions that
// cover no finding.
func match(findings []finding, exceptions []exception) (open []finding, unused []exception) {
	covered := map[rule]bool{}
	for _, e := range exceptions {
		covered[rule{e.Linter, e.Field}] = true
	}
	used := map[rule]bool{}
	for _, f := range findings {
		key := rule{f.linter, f.field}
		if covered[key] {
			used[key] = true
		} else {
			open = append(open, f)
		}
	}
	for _, e := range exceptions {
		if !used[rule{e.Linter, e.Field}] {
			unused = append(unused, e)
		}
	}
	return open, unused
}
