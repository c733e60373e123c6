// Package field reads the field selections of Meta's Graph API, such as
// "id,picture.type(large){url}", and writes the JSON that answers them.
package field

import (
	"errors"
	"fmt"
	"strings"
)

// Field is one selected member with its modifiers and its own selection.
type Field struct {
	Name string
	// Args are modifiers: type(large) is "type" with "large".
	Args map[string]string
	// Sub is nil where no braces followed.
	Sub []Field
}

// maxDepth bounds nesting; Meta's bound is not documented.
const maxDepth = 8

// ErrSyntax is a selection that cannot be read.
var ErrSyntax = errors.New("syntax error in fields")

// Parse reads a selection. It fails with ErrSyntax.
func Parse(text string) ([]Field, error) {
	p := &parser{rest: text}
	fields, err := p.list(0)
	if err != nil {
		return nil, err
	}
	if p.rest != "" {
		return nil, fmt.Errorf("%w: at %q", ErrSyntax, p.rest)
	}
	return fields, nil
}

type parser struct{ rest string }

func (p *parser) list(depth int) ([]Field, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: nested too deeply", ErrSyntax)
	}
	var out []Field
	for {
		f, err := p.field(depth)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
		if !p.eat(',') {
			return out, nil
		}
	}
}

func (p *parser) field(depth int) (Field, error) {
	f := Field{Name: p.name()}
	if f.Name == "" {
		return f, fmt.Errorf("%w: name expected at %q", ErrSyntax, p.rest)
	}
	for p.eat('.') {
		name := p.name()
		value, ok := p.argument()
		if name == "" || !ok {
			return f, fmt.Errorf("%w: modifier of %s", ErrSyntax, f.Name)
		}
		if f.Args == nil {
			f.Args = map[string]string{}
		}
		f.Args[name] = value
	}
	if !p.eat('{') {
		return f, nil
	}
	sub, err := p.list(depth + 1)
	if err != nil {
		return f, err
	}
	if !p.eat('}') {
		return f, fmt.Errorf("%w: } expected at %q", ErrSyntax, p.rest)
	}
	f.Sub = sub
	return f, nil
}

func (p *parser) name() string {
	p.rest = strings.TrimLeft(p.rest, " ")
	n := 0
	for n < len(p.rest) && isName(p.rest[n]) {
		n++
	}
	name := p.rest[:n]
	p.rest = p.rest[n:]
	return name
}

func isName(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func (p *parser) argument() (string, bool) {
	if !p.eat('(') {
		return "", false
	}
	value, rest, ok := strings.Cut(p.rest, ")")
	p.rest = rest
	return value, ok
}

func (p *parser) eat(c byte) bool {
	p.rest = strings.TrimLeft(p.rest, " ")
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// Set names what a type of node can be asked for.
type Set struct {
	// Type is the node's name in error messages.
	Type string
	// Names are all members, Sub the sets of those that have some.
	Names map[string]bool
	Sub   map[string]*Set
	// Default is what is shown without a selection.
	Default []Field
}

// NewSet makes a set out of names separated by spaces.
func NewSet(typ, names, byDefault string, sub map[string]*Set) *Set {
	s := &Set{Type: typ, Names: map[string]bool{}, Sub: sub}
	for _, name := range strings.Fields(names) {
		s.Names[name] = true
	}
	for name := range sub {
		s.Names[name] = true
	}
	for _, name := range strings.Fields(byDefault) {
		s.Default = append(s.Default, Field{Name: name})
	}
	return s
}

// Unknown returns the first selected name that the node does not have and the
// node's type; ok is false if all are known.
func (s *Set) Unknown(fields []Field) (name, typ string, ok bool) {
	for _, f := range fields {
		if !s.Names[f.Name] {
			return f.Name, s.Type, true
		}
		sub, has := s.Sub[f.Name]
		if len(f.Sub) > 0 && !has {
			return f.Sub[0].Name, f.Name, true
		}
		if has {
			if name, typ, bad := sub.Unknown(f.Sub); bad {
				return name, typ, true
			}
		}
	}
	return "", "", false
}

// Or are the fields, or the default ones of the set if there are none.
func (s *Set) Or(fields []Field) []Field {
	if len(fields) == 0 {
		return s.Default
	}
	return fields
}
