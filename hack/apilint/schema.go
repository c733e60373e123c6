package main

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/packages"
)

const rootMarker = "+kubebuilder:object:root"

// schema is the set of a package's types that reach a user: the roots and what
// their fields lead to. The analyzers judge every struct; those that no object is
// made of are Go code like any other.
type schema struct {
	pkg   *types.Package
	types map[string]bool
}

func readSchema(p *packages.Package) schema {
	s := schema{pkg: p.Types, types: map[string]bool{}}
	for _, file := range p.Syntax {
		for _, decl := range file.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Doc == nil || !strings.Contains(group.Doc.Text(), rootMarker) {
				continue
			}
			for _, spec := range group.Specs {
				if t, ok := spec.(*ast.TypeSpec); ok {
					s.add(p.TypesInfo.TypeOf(t.Name))
				}
			}
		}
	}
	return s
}

func (s schema) add(t types.Type) {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		name := t.Obj().Name()
		if t.Obj().Pkg() == s.pkg && !s.types[name] {
			s.types[name] = true
			s.add(t.Underlying())
		}
	case *types.Pointer:
		s.add(t.Elem())
	case *types.Slice:
		s.add(t.Elem())
	case *types.Map:
		s.add(t.Elem())
	case *types.Struct:
		for field := range t.Fields() {
			s.add(field.Type())
		}
	}
}

// has: the field belongs to the schema, and so does what belongs to no type.
func (s schema) has(field string) bool {
	name, _, _ := strings.Cut(field, ".")
	return name == "" || s.types[name]
}
