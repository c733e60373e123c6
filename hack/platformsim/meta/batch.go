package meta

import (
	"net/http"
	"net/url"
	"strconv"

	"mithaq.dev/mithaq/hack/platformsim/meta/field"
	"mithaq.dev/mithaq/hack/platformsim/world"
)

// serveBatch answers 200 whatever becomes of the items.
func (s *server) serveBatch(w http.ResponseWriter, req *request) {
	if _, bad := s.authenticate(&req.call); bad != nil {
		s.errors.write(w, bad)
		return
	}
	kept := s.buffer()
	out := append((*kept)[:0], '[')
	queries := map[string]url.Values{}
	for i, item := range req.batch {
		if i > 0 {
			out = append(out, ',')
		}
		out = s.appendItem(out, req, item, queries)
	}
	if req.fault.Kind == world.FaultExtraForeign {
		id := foreignID(firstID(req.batch[0].RelativeURL))
		out = append(out, `,{"code":200,"body":"{\"id\":\"`+id+`\",\"name\":\"Somebody Else\"}"}`...)
	}
	req.record.Note(func(c *world.Call) { c.Accepted = true })
	w.Header().Set("Content-Type", typeJSON)
	w.Header().Set("facebook-api-version", req.version)
	out = append(out, ']')
	_, _ = w.Write(out)
	*kept = out
	s.buffers.Put(kept)
}

// buffer is one of an earlier batch, or a new one.
func (s *server) buffer() *[]byte {
	if kept, ok := s.buffers.Get().(*[]byte); ok {
		return kept
	}
	return new([]byte)
}

func (s *server) appendItem(out []byte, req *request, item batchItem, queries map[string]url.Values) []byte {
	a := s.doItem(req, item, queries)
	if a.body == nil && a.bad == nil {
		return append(out, "null"...)
	}
	code := http.StatusOK
	if a.bad != nil {
		code = s.errors.statusOf(a.bad)
		a.body = s.errors.append(nil, a.bad)
	}
	out = append(out, `{"code":`...)
	out = strconv.AppendInt(out, int64(code), 10)
	if req.includeHeaders {
		out = appendHeaders(out, req.version, a.usage)
	}
	out = append(out, `,"body":`...)
	out = field.AppendString(out, a.body)
	return append(out, '}')
}

// doItem performs an item, unless a fault strikes it; one that timed out has
// neither body nor problem. The call was made all the same.
func (s *server) doItem(req *request, item batchItem, queries map[string]url.Values) answer {
	c, bad := item.parse(req, queries)
	if bad != nil {
		return failed(bad)
	}
	if len(c.path) == 0 && c.method != http.MethodGet {
		return failed(badParameter("A batch cannot be an item of a batch"))
	}
	a := s.do(req, c)
	kind := req.fault.Kind
	if kind != world.FaultNullItems && kind != world.FaultItemErrors {
		return a
	}
	if s.items.Add(1)%int64(max(req.fault.Items, 1)) != 0 {
		return a
	}
	if kind == world.FaultNullItems {
		return answer{}
	}
	return failed(transient())
}

func appendHeaders(out []byte, version string, all []usage) []byte {
	out = append(out, `,"headers":[{"name":"Content-Type","value":"`+typeJSON+`"},{"name":"facebook-api-version","value":"`+version+`"}`...)
	h := http.Header{}
	for _, u := range all {
		u.announce(h)
	}
	for _, name := range []string{headerApp, headerBUC} {
		if value := h.Get(name); value != "" {
			out = append(out, `,{"name":"`+name+`","value":`...)
			out = field.AppendString(out, value)
			out = append(out, '}')
		}
	}
	return append(out, ']')
}
