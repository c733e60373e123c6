package platform_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"mithaq.dev/mithaq/internal/platform"
)

func TestSecretReader(t *testing.T) {
	const value = "not-to-be-told"
	r := platform.ReadSecret(platform.Secret{
		"good": []byte(value + "\r\n"), "bad": []byte(value + " x"), "list": []byte("a, b\nc"), "badlist": []byte("a,b\x00"),
	})
	if got := r.Get("good"); got != value {
		t.Errorf("got %q", got)
	}
	if got := r.List("list"); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("got %q", got)
	}
	if r.Get("absent") != "" || r.Malformed() != nil {
		t.Errorf("an absent key: %v", r.Malformed())
	}
	if r.Get("bad") != "" {
		t.Error("a malformed value is used")
	}
	r.List("badlist")
	r.Reject("good")
	r.Reject("good")
	err := r.Malformed()
	if err == nil || strings.Contains(err.Error(), value) || strings.Count(err.Error(), "good") != 1 ||
		!strings.Contains(err.Error(), "bad and badlist and good") {
		t.Errorf("got %v", err)
	}
}

func TestCheckConfig(t *testing.T) {
	good := platform.Config{
		Endpoint: "https://api.example", HTTP: &http.Client{}, Usage: func(platform.Usage) {}, Now: time.Now,
		Hosts: map[string]string{"token": "https://token.example"},
	}
	if err := platform.CheckConfig(good); err != nil || good.Host("token") != "https://token.example" || good.Host("other") != good.Endpoint {
		t.Errorf("got %v", err)
	}
	bad := good
	bad.Hosts = map[string]string{"token": "https://token.example/"}
	if err := platform.CheckConfig(bad); err == nil || !strings.Contains(err.Error(), "token") {
		t.Errorf("a bad host: %v", err)
	}
	bad = good
	bad.Now = nil
	if platform.CheckConfig(bad) == nil {
		t.Error("no clock")
	}
}

func TestCapText(t *testing.T) {
	long := strings.Repeat("ق", platform.MaxText+7)
	if got := platform.CapText(long); utf8.RuneCountInString(got) != platform.MaxText || !strings.HasPrefix(long, got) {
		t.Errorf("%d code points", utf8.RuneCountInString(got))
	}
	if got := platform.CapText("a\xffb"); got != "a\uFFFDb" {
		t.Errorf("got %q", got)
	}
}

func TestLinksIn(t *testing.T) {
	tests := map[string][]string{
		"none here, not even http:":                       nil,
		"(https://a.example/x?y=1), http://b.example.":    {"https://a.example/x?y=1", "http://b.example"},
		"https://a.example https://a.example":             {"https://a.example"},
		"اقرأ:https://a.example/إعلان، والمزيد":           {"https://a.example/إعلان"},
		"javascript:https ftp://x https:///nohost":        nil,
		"HTTP is a word, https://c.example/ is a link;":   {"https://c.example/"},
		"https://" + strings.Repeat("x", platform.MaxURL): nil,
	}
	for text, want := range tests {
		if got := platform.LinksIn(text); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text[:min(len(text), 60)], got, want)
		}
	}
}

func FuzzLinksIn(f *testing.F) {
	f.Add("see https://a.example, and http://b.example!")
	f.Fuzz(func(t *testing.T, text string) {
		for _, l := range platform.LinksIn(text) {
			if !platform.IsWebLink(l) || !strings.Contains(text, l) {
				t.Errorf("%q is not a link of the text", l)
			}
		}
	})
}
