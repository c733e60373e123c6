package main

import (
	"go/ast"
	"go/token"

	"golang.org/x/tools/go/packages"
)

// fieldNames knows which type and field the positions of a package belong to.
type fieldNames []fieldName

type fieldName struct {
	from, to token.Pos
	name     string
}

// at is the innermost name around the position.
func (names fieldNames) at(pos token.Pos) string {
	best := fieldName{}
	for _, n := range names {
		inside := n.from <= pos && pos <= n.to
		if inside && (best.name == "" || n.to-n.from < best.to-best.from) {
			best = n
		}
	}
	return best.name
}

func nameFields(p *packages.Package) fieldNames {
	var names fieldNames
	for _, file := range p.Syntax {
		for _, decl := range file.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.TYPE {
				continue
			}
			for _, spec := range group.Specs {
				names = append(names, nameType(group, spec.(*ast.TypeSpec))...)
			}
		}
	}
	return names
}

func nameType(group *ast.GenDecl, spec *ast.TypeSpec) fieldNames {
	from := spec.Pos()
	if doc := spec.Doc; doc != nil {
		from = doc.Pos()
	} else if doc := group.Doc; doc != nil && len(group.Specs) == 1 {
		from = doc.Pos()
	}
	names := fieldNames{{from: from, to: spec.End(), name: spec.Name.Name}}
	return append(names, nameStruct(spec.Name.Name, spec.Type)...)
}

// nameStruct names the fields of a struct, and of the structs written inside it,
// behind pointers and in lists too.
func nameStruct(prefix string, expr ast.Expr) fieldNames {
	switch t := expr.(type) {
	case *ast.StarExpr:
		return nameStruct(prefix, t.X)
	case *ast.ArrayType:
		return nameStruct(prefix, t.Elt)
	case *ast.StructType:
		return nameMembers(prefix, t)
	default:
		return nil
	}
}

func nameMembers(prefix string, structType *ast.StructType) fieldNames {
	var names fieldNames
	for _, field := range structType.Fields.List {
		from := field.Pos()
		if field.Doc != nil {
			from = field.Doc.Pos()
		}
		for _, name := range goNames(field) {
			full := prefix + "." + name
			names = append(names, fieldName{from: from, to: field.End(), name: full})
			names = append(names, nameStruct(full, field.Type)...)
		}
	}
	return names
}

// goNames are the names of a field declaration; an embedded one has its type's.
func goNames(field *ast.Field) []string {
	var names []string
	for _, n := range field.Names {
		names = append(names, n.Name)
	}
	if len(names) > 0 {
		return names
	}
	expr := field.Type
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	switch t := expr.(type) {
	case *ast.Ident:
		return []string{t.Name}
	case *ast.SelectorExpr:
		return []string{t.Sel.Name}
	default:
		return nil
	}
}
