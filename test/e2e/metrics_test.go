package e2e

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

// allowed are the labels that a metric of ours may bear.
var allowed = strings.Fields("platform tier class condition status rule severity verdict endpoint code version lookup outcome bucket by result kind reason connection_platform stream phase le")

func TestMetricsNameNobody(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.healthy(t, "fine", "bad")
	s.change(t, "bad", func(a *world.Account) { a.Verified = false })
	s.expect(t, map[string]verdict{"fine": good(), "bad": good(violating("identity/verified"))})
	var text string
	until(t, func(ctx context.Context) (string, error) {
		var err error
		text, err = shared.operator.scrape(ctx)
		if err == nil && !strings.Contains(text, `rule="identity/verified"`) {
			return "no finding is counted yet", nil
		}
		return "", err
	})
	names := map[string]bool{}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "mithaq_") {
			continue
		}
		name, rest, _ := strings.Cut(line, "{")
		names[strings.Fields(name)[0]] = true
		for key, value := range labels(rest) {
			if !slices.Contains(allowed, key) {
				t.Errorf("label %s: %s", key, line)
			}
			for _, secret := range []string{s.name, "edu_", "@", "fine", s.handle("bad"), "127.0.0.1"} {
				if strings.Contains(value, secret) {
					t.Errorf("%s=%q names somebody: %s", key, value, line)
				}
			}
		}
	}
	for _, want := range []string{"mithaq_account_conditions", "mithaq_account_findings", "mithaq_platform_requests_total", "mithaq_build_info"} {
		if !names[want] {
			t.Errorf("there is no metric %s", want)
		}
	}
	for name := range names {
		if !regexp.MustCompile(`^mithaq_[a-z]+(_[a-z0-9]+)*$`).MatchString(name) {
			t.Errorf("metric %s", name)
		}
	}
}
