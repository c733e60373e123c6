package x

import (
	"errors"
	"fmt"

	"mithaq.dev/mithaq/internal/platform"
)

// credentials are either a ready token or a key pair, and the OAuth2 client for the
// accounts' own grants, where there is one.
type credentials struct {
	token, key, secret     string
	clientID, clientSecret string
}

// credentialsOf reads the app Secret. A ready token wins over a key pair; a key
// with an empty value counts as missing. Its error names keys, never values.
func credentialsOf(app platform.Secret) (credentials, error) {
	var c credentials
	r := platform.ReadSecret(app)
	c.token = r.Get(KeyAppToken)
	if c.token == "" && r.Malformed() == nil {
		c.key, c.secret = r.Get(KeyAPIKey), r.Get(KeyAPISecret)
	}
	c.clientID, c.clientSecret = r.Get(platform.KeyClientID), r.Get(platform.KeyClientSecret)
	if err := r.Malformed(); err != nil {
		return credentials{}, err
	}
	if c.clientSecret != "" && c.clientID == "" {
		return credentials{}, errors.New("the app Secret lacks " + platform.KeyClientID)
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
