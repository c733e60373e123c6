package x

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"mithaq.dev/mithaq/internal/platform"
)

// credentials are either a ready token or a key pair.
type credentials struct {
	token, key, secret string
}

// credentialsOf reads the app Secret. A ready token wins over a key pair; a key
// with an empty value counts as missing. Its error names keys, never values.
func credentialsOf(app platform.Secret) (credentials, error) {
	var c credentials
	var malformed []string
	read := func(name string) string {
		value, ok := clean(app[name])
		if !ok {
			malformed = append(malformed, name)
		}
		return value
	}
	c.token = read(KeyAppToken)
	if c.token == "" && len(malformed) == 0 {
		c.key, c.secret = read(KeyAPIKey), read(KeyAPISecret)
	}
	if len(malformed) > 0 {
		return credentials{}, fmt.Errorf("the app Secret's %s holds white space or control characters",
			strings.Join(malformed, " and "))
	}
	switch {
	case c.token != "", c.key != "" && c.secret != "":
		return c, nil
	case c.key != "":
		return credentials{}, errors.New("the app Secret lacks " + KeyAPISecret)
	case c.secret != "":
		return credentials{}, errors.New("the app Secret lacks " + KeyAPIKey)
	}
	return credentials{}, fmt.Errorf("the app Secret lacks %s, or %s and %s", KeyAppToken, KeyAPIKey, KeyAPISecret)
}

// clean drops the line ends that editors and `echo` leave at the end of a value,
// and reports whether the rest is visible ASCII alone, as header values must be.
func clean(value []byte) (string, bool) {
	value = bytes.TrimRight(value, "\r\n")
	for _, c := range value {
		if c <= ' ' || c > '~' {
			return "", false
		}
	}
	return string(value), true
}
