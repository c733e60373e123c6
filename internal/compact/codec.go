package compact

import (
	"fmt"
	"math"
	"reflect"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// codec turns values of one type into bytes and back, within one process. Nothing says
// which field is which: both sides walk the type in the same order.
type codec struct {
	write writeFunc
	read  readFunc
}

type (
	writeFunc func(w *writer, v reflect.Value)
	readFunc  func(r *reader, v reflect.Value)
)

// newCodec walks a type once. skipped are fields that are not kept, by name.
//
// Errors: a kind that no API type of ours has (an interface, a channel, a function).
func newCodec(t reflect.Type, skipped ...string) (codec, error) {
	skip := map[string]bool{}
	for _, name := range skipped {
		skip[name] = true
	}
	return compile(t, skip)
}

var timeType = reflect.TypeFor[metav1.Time]()

// compile is what newCodec does for one type.
func compile(t reflect.Type, skip map[string]bool) (codec, error) {
	if t == timeType {
		return codec{writeTime, readTime}, nil
	}
	switch t.Kind() {
	case reflect.String:
		return codec{func(w *writer, v reflect.Value) { w.string(v.String()) }, func(r *reader, v reflect.Value) { v.SetString(r.string()) }}, nil
	case reflect.Bool:
		return codec{writeBool, func(r *reader, v reflect.Value) { v.SetBool(r.uint() != 0) }}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return codec{func(w *writer, v reflect.Value) { w.int(v.Int()) }, func(r *reader, v reflect.Value) { v.SetInt(r.int()) }}, nil
	case reflect.Float32, reflect.Float64:
		return codec{func(w *writer, v reflect.Value) { w.uint(math.Float64bits(v.Float())) }, func(r *reader, v reflect.Value) { v.SetFloat(math.Float64frombits(r.uint())) }}, nil
	case reflect.Struct:
		return compileStruct(t, skip)
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return compileReference(t, skip)
	default:
		return codec{}, fmt.Errorf("packing %s: no API type holds a %s", t, t.Kind())
	}
}

func compileStruct(t reflect.Type, skip map[string]bool) (codec, error) {
	type field struct {
		index int
		codec
	}
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		if skip[f.Name] {
			continue
		}
		if !f.IsExported() {
			return codec{}, fmt.Errorf("packing %s: field %s is not exported", t, f.Name)
		}
		c, err := compile(f.Type, skip)
		if err != nil {
			return codec{}, err
		}
		fields = append(fields, field{i, c})
	}
	return codec{
		func(w *writer, v reflect.Value) {
			for i := range fields {
				fields[i].write(w, v.Field(fields[i].index))
			}
		},
		func(r *reader, v reflect.Value) {
			for i := range fields {
				fields[i].read(r, v.Field(fields[i].index))
			}
		},
	}, nil
}

// compileReference: what can be nil is told by a length or mark that is one higher.
func compileReference(t reflect.Type, skip map[string]bool) (codec, error) {
	of, err := compile(t.Elem(), skip)
	if err != nil {
		return codec{}, err
	}
	switch {
	case t.Kind() == reflect.Pointer:
		return pointerTo(t, of), nil
	case t.Kind() == reflect.Slice:
		return sliceOf(t, of), nil
	case t == reflect.TypeFor[map[string]string]():
		return codec{writeLabels, readLabels}, nil
	}
	return codec{}, fmt.Errorf("packing %s: no API type holds such a map", t)
}

func pointerTo(t reflect.Type, of codec) codec {
	return codec{
		func(w *writer, v reflect.Value) {
			if v.IsNil() {
				w.uint(0)
				return
			}
			w.uint(1)
			of.write(w, v.Elem())
		},
		func(r *reader, v reflect.Value) {
			if r.uint() == 0 {
				return
			}
			p := reflect.New(t.Elem())
			of.read(r, p.Elem())
			v.Set(p)
		},
	}
}

func sliceOf(t reflect.Type, of codec) codec {
	return codec{
		func(w *writer, v reflect.Value) {
			if v.IsNil() {
				w.uint(0)
				return
			}
			w.uint(uint64(v.Len()) + 1)
			for i := range v.Len() {
				of.write(w, v.Index(i))
			}
		},
		func(r *reader, v reflect.Value) {
			n, ok := r.length()
			if !ok {
				return
			}
			s := reflect.MakeSlice(t, n, n)
			for i := range n {
				of.read(r, s.Index(i))
			}
			v.Set(s)
		},
	}
}

func writeLabels(w *writer, v reflect.Value) {
	if v.IsNil() {
		w.uint(0)
		return
	}
	w.uint(uint64(v.Len()) + 1)
	for name, value := range v.Interface().(map[string]string) { //nolint:forcetypeassert // compileReference chose it by type
		w.string(name)
		w.string(value)
	}
}

func readLabels(r *reader, v reflect.Value) {
	n, ok := r.length()
	if !ok {
		return
	}
	labels := make(map[string]string, n)
	for range n {
		name := r.string()
		labels[name] = r.string()
	}
	v.Set(reflect.ValueOf(labels))
}

func writeBool(w *writer, v reflect.Value) {
	if v.Bool() {
		w.uint(1)
		return
	}
	w.uint(0)
}

// writeTime keeps a moment to the nanosecond; the API server knows seconds.
func writeTime(w *writer, v reflect.Value) {
	at := v.Addr().Interface().(*metav1.Time) //nolint:forcetypeassert // compile chose it by type
	if at.IsZero() {
		w.uint(0)
		return
	}
	nanos := uint64(at.Nanosecond())
	if nanos == 0 {
		w.uint(1)
	} else {
		w.uint(nanos + 1)
	}
	w.int(at.Unix())
}

func readTime(r *reader, v reflect.Value) {
	mark := r.uint()
	if mark == 0 {
		return
	}
	*v.Addr().Interface().(*metav1.Time) = metav1.Time{Time: time.Unix(r.int(), int64(mark-1))} //nolint:forcetypeassert // compile chose it by type
}
