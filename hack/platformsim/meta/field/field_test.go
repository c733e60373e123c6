package field_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mithaq.dev/mithaq/hack/platformsim/meta/field"
)

func TestSelectionsAreRead(t *testing.T) {
	got, err := field.Parse("id, picture.type(large){url,is_silhouette},business_discovery.username(a.b_c){id,media.limit(25).after(x==){id}}")
	want := []field.Field{
		{Name: "id"},
		{Name: "picture", Args: map[string]string{"type": "large"}, Sub: []field.Field{{Name: "url"}, {Name: "is_silhouette"}}},
		{Name: "business_discovery", Args: map[string]string{"username": "a.b_c"}, Sub: []field.Field{
			{Name: "id"}, {Name: "media", Args: map[string]string{"limit": "25", "after": "x=="}, Sub: []field.Field{{Name: "id"}}},
		}},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

func TestBadSelectionsAreRefused(t *testing.T) {
	for _, text := range []string{"", ",", "id,", "id{", "id{}", "id}", "id{a", "a.b", "a.(c)", "a.b(c", "id name", "a{b{c{d{e{f{g{h{i{j{k}}}}}}}}}}", "\"id\""} {
		if got, err := field.Parse(text); !errors.Is(err, field.ErrSyntax) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestUnknownNamesAreFoundAtAnyDepth(t *testing.T) {
	inner := field.NewSet("Inner", "a b", "a", nil)
	outer := field.NewSet("Outer", "x y", "x", map[string]*field.Set{"in": inner})
	for text, want := range map[string][2]string{
		"x,y,in{a,b}": {"", ""}, "in": {"", ""}, "z": {"z", "Outer"}, "in{a,z}": {"z", "Inner"}, "x{a}": {"a", "x"},
	} {
		fields, err := field.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		name, typ, bad := outer.Unknown(fields)
		if [2]string{name, typ} != want || bad != (want[0] != "") {
			t.Errorf("%s: %q of %q", text, name, typ)
		}
	}
	if got := outer.Or(nil); len(got) != 1 || got[0].Name != "x" {
		t.Errorf("default %v", got)
	}
}

func TestObjectsAreJSON(t *testing.T) {
	o := field.Begin(nil)
	o.Text("text", "a\"b\\c\n\x01 تعليم <&>\u2028")
	o.Text("absent", "")
	o.Text("broken", "\xff")
	o.Int("n", -5)
	o.Bool("b", true)
	o.Strings("s", []string{"x", "y"})
	o.Object("o", func(o *field.Object) { o.Int("i", 1) })
	o.List("l", 2, func(i int, o *field.Object) { o.Int("i", int64(i)) })
	o.Raw("r", []byte("null"))
	var got map[string]any
	if err := json.Unmarshal(o.End(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"text": "a\"b\\c\n\x01 تعليم <&>\u2028", "broken": "\ufffd", "n": -5.0, "b": true, "s": []any{"x", "y"},
		"o": map[string]any{"i": 1.0}, "l": []any{map[string]any{"i": 0.0}, map[string]any{"i": 1.0}}, "r": nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
