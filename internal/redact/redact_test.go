package redact_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"mithaq.dev/mithaq/internal/redact"
)

func TestTokenNeverShowsItself(t *testing.T) {
	const secret = "canary-1234"
	type holder struct {
		T redact.Token
		P *redact.Token
		M map[string]redact.Token
		E error
	}
	token := redact.Token(secret)
	h := holder{T: token, P: &token, M: map[string]redact.Token{"a": token}, E: fmt.Errorf("with %v", token)}
	encoded, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{string(encoded)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown = append(shown, fmt.Sprintf(verb, token), fmt.Sprintf(verb, h))
	}
	for _, s := range shown {
		if strings.Contains(s, secret) || strings.Contains(s, fmt.Sprintf("%x", secret)) {
			t.Errorf("%s shows the secret", s)
		}
	}
	if string(token) != secret {
		t.Error("the value is not to be had")
	}
}
