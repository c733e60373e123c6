package expr

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// The names of the types, as messages of CEL show them.
const (
	accountType         = "mithaq.Account"
	profileType         = "mithaq.ApprovedProfile"
	attestationType     = "mithaq.Attestation"
	acknowledgementType = "mithaq.Acknowledgement"
	liveType            = "mithaq.Live"
	memberType          = "mithaq.Member"
	postType            = "mithaq.Post"
	targetType          = "mithaq.Target"
)

// field is a field of a type over T.
type field[T any] struct {
	typ *cel.Type
	// get is the value, nil if it is not set, or a *types.Err.
	get func(T) ref.Val
}

// fields are those of a type, by name.
type fields[T any] map[string]field[T]

// object is a value with fields, read from T when they are asked for.
type object[T any] struct {
	typ    *cel.Type
	fields fields[T]
	of     T
}

var (
	_ traits.Indexer     = (*object[int])(nil)
	_ traits.FieldTester = (*object[int])(nil)
)

// Get is the value of a field. A text or list that is not set is empty; another
// value that is not set is unknown.
func (o *object[T]) Get(index ref.Val) ref.Val {
	name, ok := index.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(index)
	}
	f, ok := o.fields[string(name)]
	if !ok {
		return types.NewErr("no such field")
	}
	if v := f.get(o.of); v != nil {
		return v
	}
	return types.WrapErr(&Unknown{Why: NotSet, Field: o.prefix() + string(name)})
}

// IsSet says whether a field is set; empty texts and lists are not.
func (o *object[T]) IsSet(index ref.Val) ref.Val {
	name, ok := index.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(index)
	}
	f, ok := o.fields[string(name)]
	if !ok {
		return types.NewErr("no such field")
	}
	switch v := f.get(o.of).(type) {
	case nil:
		return types.False
	case *types.Err:
		return v
	case types.String:
		return types.Bool(v != "")
	case traits.Sizer:
		return types.Bool(v.Size() != types.IntZero)
	default:
		return types.True
	}
}

// prefix is what the fields of the type are called by in expressions.
func (o *object[T]) prefix() string { return prefixes[o.typ.TypeName()] }

var prefixes = map[string]string{
	accountType: "account.", profileType: "account.profile.", attestationType: "attestation.", acknowledgementType: "acknowledgement.",
	liveType: "live.", memberType: "member.", postType: "post.", targetType: "post.target.",
}

// ConvertToNative is part of ref.Val; objects stay what they are.
func (o *object[T]) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("converting to %v is not supported", t)
}

// ConvertToType is part of ref.Val.
func (o *object[T]) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return o.typ
	}
	return types.NewErr("unsupported conversion")
}

// Equal compares objects by identity.
func (o *object[T]) Equal(other ref.Val) ref.Val { return types.Bool(ref.Val(o) == other) }

// Type is part of ref.Val.
func (o *object[T]) Type() ref.Type { return o.typ }

// Value is part of ref.Val.
func (o *object[T]) Value() any { return o }

// schema tells the checker which types there are.
type schema struct{ *types.Registry }

// FindStructType finds a type by name.
func (s schema) FindStructType(name string) (*types.Type, bool) {
	if _, ok := declared[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return s.Registry.FindStructType(name)
}

// FindStructFieldNames lists the fields of a type.
func (s schema) FindStructFieldNames(name string) ([]string, bool) {
	if of, ok := declared[name]; ok {
		names := make([]string, 0, len(of))
		for field := range of {
			names = append(names, field)
		}
		slices.Sort(names)
		return names, true
	}
	return s.Registry.FindStructFieldNames(name)
}

// FindStructFieldType finds a field of a type.
func (s schema) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if of, ok := declared[name]; ok {
		typ, ok := of[field]
		return &types.FieldType{Type: typ}, ok
	}
	return s.Registry.FindStructFieldType(name, field)
}

// declared are the types of all fields.
var declared = map[string]map[string]*cel.Type{
	accountType: typesOf(accountFields), profileType: typesOf(profileFields), attestationType: typesOf(attestationFields),
	acknowledgementType: typesOf(acknowledgementFields), liveType: typesOf(liveFields), memberType: typesOf(memberFields),
	postType: typesOf(postFields), targetType: typesOf(targetFields),
}

func typesOf[T any](of fields[T]) map[string]*cel.Type {
	m := make(map[string]*cel.Type, len(of))
	for name, f := range of {
		m[name] = f.typ
	}
	return m
}
