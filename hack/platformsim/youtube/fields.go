package youtube

import (
	"encoding/json"
	"strings"
)

// mask is a partial response (discovery document, parameter fields): the members
// to keep, each with a mask of its own. An empty mask keeps everything.
type mask map[string]mask

// parseMask reads such as "items(id,snippet/title),nextPageToken". It is nil and
// false if the text is malformed.
func parseMask(text string) (mask, bool) {
	p := maskParser{rest: text}
	m, ok := p.list()
	return m, ok && p.rest == ""
}

type maskParser struct{ rest string }

func (p *maskParser) list() (mask, bool) {
	out := mask{}
	for {
		if !p.item(out) {
			return nil, false
		}
		if !p.skip(",") {
			return out, true
		}
	}
}

func (p *maskParser) skip(text string) bool {
	rest, ok := strings.CutPrefix(p.rest, text)
	p.rest = rest
	return ok
}

func (p *maskParser) item(into mask) bool {
	end := strings.IndexAny(p.rest, ",/()")
	if end < 0 {
		end = len(p.rest)
	}
	name := strings.TrimSpace(p.rest[:end])
	p.rest = p.rest[end:]
	if name == "" {
		return false
	}
	if into[name] == nil {
		into[name] = mask{}
	}
	switch {
	case p.skip("/"):
		return p.item(into[name])
	case p.skip("("):
		inner, ok := p.list()
		for member, below := range inner {
			into[name][member] = below
		}
		return ok && p.skip(")")
	}
	return true
}

// keep drops what the mask does not name; lists are masked item by item.
func (m mask) keep(v any) any {
	if len(m) == 0 || m["*"] != nil {
		return v
	}
	switch x := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, below := range m {
			if member, ok := x[name]; ok {
				out[name] = below.keep(member)
			}
		}
		return out
	case []any:
		for i := range x {
			x[i] = m.keep(x[i])
		}
	}
	return v
}

// partial is an answer with the members that a mask keeps.
func partial(out answer, text string) (any, *fault) {
	m, ok := parseMask(text)
	if !ok {
		return nil, badRequest("invalidParameter", "fields", "Invalid field selection "+text)
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, badRequest("invalidParameter", "fields", "Invalid field selection")
	}
	var whole any
	if err := json.Unmarshal(data, &whole); err != nil {
		return nil, badRequest("invalidParameter", "fields", "Invalid field selection")
	}
	return m.keep(whole), nil
}
