package status

import (
	"reflect"
	"sync"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Same says whether two statuses say the same to the API server: moments of another
// zone are, and so are no list and an empty one. It is asked whenever an account is
// judged, and nearly always says yes, so each type is walked once and then compared
// without looking at what it is made of.
func Same[S any](a, b S) bool {
	return comparerOf(reflect.TypeFor[S]())(reflect.ValueOf(&a).Elem(), reflect.ValueOf(&b).Elem())
}

// comparer says that two values of one type say the same.
type comparer func(a, b reflect.Value) bool

// comparers are those of the types that were asked for.
var comparers sync.Map

func comparerOf(t reflect.Type) comparer {
	if c, ok := comparers.Load(t); ok {
		return c.(comparer) //nolint:forcetypeassert // nothing else is stored
	}
	c := compile(t)
	comparers.Store(t, c)
	return c
}

var momentType = reflect.TypeFor[metav1.Time]()

func compile(t reflect.Type) comparer {
	if t == momentType {
		return sameMoment
	}
	switch t.Kind() {
	case reflect.String:
		return func(a, b reflect.Value) bool { return a.String() == b.String() }
	case reflect.Bool:
		return func(a, b reflect.Value) bool { return a.Bool() == b.Bool() }
	case reflect.Int, reflect.Int32, reflect.Int64:
		return func(a, b reflect.Value) bool { return a.Int() == b.Int() }
	case reflect.Struct:
		return structs(t)
	case reflect.Pointer:
		return pointers(compile(t.Elem()))
	case reflect.Slice:
		return lists(compile(t.Elem()))
	default:
		return func(a, b reflect.Value) bool { return equality.Semantic.DeepEqual(a.Interface(), b.Interface()) }
	}
}

func pointers(of comparer) comparer {
	return func(a, b reflect.Value) bool {
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return a.UnsafePointer() == b.UnsafePointer() || of(a.Elem(), b.Elem())
	}
}

func lists(of comparer) comparer {
	return func(a, b reflect.Value) bool {
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !of(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	}
}

func structs(t reflect.Type) comparer {
	fields := make([]comparer, t.NumField())
	for i := range fields {
		if f := t.Field(i); f.IsExported() {
			fields[i] = compile(f.Type)
			continue
		}
		// What hides its state knows how to compare it (a quantity).
		return func(a, b reflect.Value) bool { return equality.Semantic.DeepEqual(a.Interface(), b.Interface()) }
	}
	return func(a, b reflect.Value) bool {
		for i, same := range fields {
			if !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
}

func sameMoment(a, b reflect.Value) bool {
	return a.Addr().Interface().(*metav1.Time).Equal(b.Addr().Interface().(*metav1.Time)) //nolint:forcetypeassert // compile chose it by type
}
