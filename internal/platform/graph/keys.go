package graph

import (
	"errors"
	"strings"

	"mithaq.dev/mithaq/internal/platform"
)

// Keys of the app Secret, beside platform.KeyClientID and platform.KeyClientSecret
// (the Meta app's id and secret).
const (
	// KeyAppToken is a ready app token; without it, it is made of id and secret.
	KeyAppToken = "appToken"
	// KeySystemUserToken is the token of the portfolio's system user: the one
	// credential of the sweep.
	KeySystemUserToken = "systemUserToken"
	// KeySystemUserID is the system user whose tokens are minted.
	KeySystemUserID = "systemUserID"
	// KeyBusinessID is the Business portfolio that holds the accounts: people with
	// access are listed by it.
	KeyBusinessID = "businessID"
	// KeyIGUserID is one of our own Instagram accounts, through which others are
	// looked up by handle.
	KeyIGUserID = "igUserID"
)

// Keys are the app Secret, read.
type Keys struct {
	ID, Secret                         string
	AppToken, SystemUserToken          platform.Token
	SystemUserID, BusinessID, IGUserID string
}

// ReadKeys reads the app Secret. Its error names keys, never values. What reads
// profiles needs a system user's token, or the app's own.
func ReadKeys(app platform.Secret) (Keys, error) {
	r := platform.ReadSecret(app)
	k := Keys{
		ID: r.Get(platform.KeyClientID), Secret: r.Get(platform.KeyClientSecret),
		AppToken: platform.Token(r.Get(KeyAppToken)), SystemUserToken: platform.Token(r.Get(KeySystemUserToken)),
	}
	for key, into := range map[string]*string{
		KeySystemUserID: &k.SystemUserID, KeyBusinessID: &k.BusinessID, KeyIGUserID: &k.IGUserID,
	} {
		if *into = r.Get(key); *into != "" && !IsID(*into) {
			r.Reject(key)
		}
	}
	if err := r.Malformed(); err != nil {
		return Keys{}, err
	}
	if k.AppToken == "" && k.ID != "" && k.Secret != "" {
		k.AppToken = platform.Token(k.ID + "|" + k.Secret)
	}
	if k.SystemUserToken == "" && k.AppToken == "" {
		return Keys{}, errors.New("the app Secret lacks " + KeySystemUserToken + ", or " + platform.KeyClientID + " and " + platform.KeyClientSecret)
	}
	return k, nil
}

// IsApp reports whether the app can act as an OAuth client and ask about tokens.
func (k Keys) IsApp() bool { return k.ID != "" && k.Secret != "" }

// Mints reports whether a system user's tokens can be made.
func (k Keys) Mints() bool { return k.IsApp() && k.SystemUserID != "" && k.SystemUserToken != "" }

// Reads is the token of the sweep.
func (k Keys) Reads() platform.Token {
	if k.SystemUserToken != "" {
		return k.SystemUserToken
	}
	return k.AppToken
}

// maxID bounds an id: Meta's have up to 20 digits, and promise no length.
const maxID = 32

// IsID reports whether s can be the id of a node: 1 to 32 digits.
func IsID(s string) bool {
	if s == "" || len(s) > maxID {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// Lower folds ASCII alone: strings.ToLower turns the Kelvin sign into a k, and with
// it another account's name into the one that was asked for.
func Lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + ('a' - 'A')
		}
	}
	return string(b)
}

// ID is an id that some answers hold as a string and others as a number.
type ID string

// UnmarshalJSON reads either; anything else leaves it empty, which is no id.
func (id *ID) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	*id = ""
	if IsID(text) {
		*id = ID(text)
	}
	return nil
}
