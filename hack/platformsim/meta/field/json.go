package field

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Object writes a JSON object member by member. Sweeps write millions of
// members, so it appends instead of building a tree.
type Object struct {
	buf   []byte
	begun bool
}

// Begin starts an object at the end of buf.
func Begin(buf []byte) *Object { return &Object{buf: append(buf, '{')} }

// End closes the object and returns the buffer.
func (o *Object) End() []byte { return append(o.buf, '}') }

func (o *Object) name(name string) {
	if o.begun {
		o.buf = append(o.buf, ',')
	}
	o.begun = true
	o.buf = append(o.buf, '"')
	o.buf = append(o.buf, name...)
	o.buf = append(o.buf, '"', ':')
}

// Text adds a string, unless it is empty: unset members are absent.
func (o *Object) Text(name, value string) {
	if value == "" {
		return
	}
	o.name(name)
	o.buf = AppendString(o.buf, value)
}

// Int adds a number.
func (o *Object) Int(name string, value int64) {
	o.name(name)
	o.buf = strconv.AppendInt(o.buf, value, 10)
}

// Bool adds a truth value.
func (o *Object) Bool(name string, value bool) {
	o.name(name)
	o.buf = strconv.AppendBool(o.buf, value)
}

// Strings adds a list, also an empty one.
func (o *Object) Strings(name string, values []string) {
	o.name(name)
	o.buf = append(o.buf, '[')
	for i, v := range values {
		if i > 0 {
			o.buf = append(o.buf, ',')
		}
		o.buf = AppendString(o.buf, v)
	}
	o.buf = append(o.buf, ']')
}

// Object adds an object that write fills.
func (o *Object) Object(name string, write func(*Object)) {
	o.name(name)
	sub := Begin(o.buf)
	write(sub)
	o.buf = sub.End()
}

// List adds a list of n objects.
func (o *Object) List(name string, n int, write func(i int, o *Object)) {
	o.name(name)
	o.buf = append(o.buf, '[')
	for i := range n {
		if i > 0 {
			o.buf = append(o.buf, ',')
		}
		sub := Begin(o.buf)
		write(i, sub)
		o.buf = sub.End()
	}
	o.buf = append(o.buf, ']')
}

// Raw adds a member that is JSON already.
func (o *Object) Raw(name string, value []byte) {
	o.name(name)
	o.buf = append(o.buf, value...)
}

// AppendString appends a JSON string. What is not UTF-8 is replaced.
func AppendString[T string | []byte](buf []byte, s T) []byte {
	start, from, ascii := len(buf), 0, true
	buf = append(buf, '"')
	for i := range len(s) {
		c := s[i]
		ascii = ascii && c < utf8.RuneSelf
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		buf = appendEscape(append(buf, s[from:i]...), c)
		from = i + 1
	}
	if !ascii && !utf8.ValidString(string(s)) {
		return AppendString(buf[:start], strings.ToValidUTF8(string(s), "\ufffd"))
	}
	return append(append(buf, s[from:]...), '"')
}

// appendEscape appends what stands for a character that cannot stand itself.
func appendEscape(buf []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch {
	case c >= ' ':
		return append(buf, '\\', c)
	case c == '\n':
		return append(buf, '\\', 'n')
	}
	return append(buf, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
