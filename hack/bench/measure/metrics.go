package measure

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Sample is a value of a counter or gauge with its labels.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Samples reads the values of one metric from the text of a metrics page, of which an
// API server's has some hundred thousand lines.
func Samples(page io.Reader, name string) ([]Sample, error) {
	var own bytes.Buffer
	lines := bufio.NewScanner(page)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Bytes()
		rest, ok := bytes.CutPrefix(line, []byte(name))
		if ok && len(rest) > 0 && (rest[0] == '{' || rest[0] == ' ') {
			own.Write(line)
			own.WriteByte('\n')
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading metrics: %w", err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(&own)
	if err != nil {
		return nil, fmt.Errorf("parsing %s: %w: %w", name, ErrFormat, err)
	}
	family, ok := families[name]
	if !ok {
		return nil, nil
	}
	out := make([]Sample, 0, len(family.GetMetric()))
	for _, m := range family.GetMetric() {
		out = append(out, sample(m))
	}
	return out, nil
}

// sample has its value in Untyped, since the lines that tell the type were left out.
func sample(m *dto.Metric) Sample {
	s := Sample{Labels: map[string]string{}, Value: m.GetUntyped().GetValue()}
	for _, pair := range m.GetLabel() {
		s.Labels[pair.GetName()] = pair.GetValue()
	}
	return s
}

// Requests counts an API server's requests that write, by resource.
type Requests map[string]int

// requestsMetric is stable: its name and labels are part of Kubernetes' API.
const requestsMetric = "apiserver_request_total"

// Leases and Events are counted apart; own are an API server's own.
const (
	Leases = "leases"
	Events = "events"
)

// own are resources that the API server itself keeps, whoever uses it.
var own = []string{"apiservices", "flowschemas", "prioritylevelconfigurations", "endpointslices", "endpoints", "subjectaccessreviews", "tokenreviews", "selfsubjectaccessreviews",
	// The benchmark asks for the operator's token.
	"serviceaccounts",
}

// Writes reads from an API server's metrics how many requests changed something, or
// were meant to: a write that changes nothing and one that is refused cost the server
// as much. A resource with a subresource is named resource/subresource.
func Writes(page io.Reader) (Requests, error) {
	samples, err := Samples(page, requestsMetric)
	if err != nil {
		return nil, err
	}
	if len(samples) == 0 {
		return nil, fmt.Errorf("%s: %w: there is none", requestsMetric, ErrFormat)
	}
	writes := Requests{}
	for _, s := range samples {
		if !writing(s.Labels["verb"]) || slices.Contains(own, s.Labels["resource"]) {
			continue
		}
		name := s.Labels["resource"]
		if sub := s.Labels["subresource"]; sub != "" {
			name += "/" + sub
		}
		writes[name] += int(s.Value)
	}
	return writes, nil
}

// writing says that a verb changes something. The verbs are those of the metric, where
// APPLY is a patch of server-side apply.
func writing(verb string) bool {
	switch verb {
	case "APPLY", "PATCH", "PUT", "POST", "DELETE", "DELETECOLLECTION", "UPDATE", "CREATE":
		return true
	}
	return false
}

// Since are the writes since an earlier count, those that are none left out.
func (r Requests) Since(before Requests) Requests {
	out := Requests{}
	for name, n := range r {
		if d := n - before[name]; d != 0 {
			out[name] = d
		}
	}
	return out
}

// Sum is the number of all writes but those of leases and events.
func (r Requests) Sum() int {
	sum := 0
	for name, n := range r {
		if name != Leases && name != Events {
			sum += n
		}
	}
	return sum
}

// String names the writes by resource, for a report.
func (r Requests) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(r)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, r[name]))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// Getter reads a page.
type Getter func(ctx context.Context) ([]byte, error)

// WritesOf reads the page and counts.
func WritesOf(ctx context.Context, get Getter) (Requests, error) {
	page, err := get(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the API server's metrics: %w", err)
	}
	return Writes(bytes.NewReader(page))
}

// Counter sums the values of a metric whose labels are as wanted. A metric that is not
// there has counted nothing yet.
func Counter(page []byte, name string, want map[string]string) (int, error) {
	samples, err := Samples(bytes.NewReader(page), name)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, s := range samples {
		matches := true
		for label, value := range want {
			matches = matches && s.Labels[label] == value
		}
		if matches {
			sum += s.Value
		}
	}
	return int(sum), nil
}
