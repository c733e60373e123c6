package rotation

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"mithaq.dev/mithaq/internal/redact"
)

// The keys of the vault's Secret. Each has a second key with its HMAC.
const (
	keyCurrent  = "current"
	keyPending  = "pending"
	keyRetiring = "retiring"
	keyJournal  = "journal"
	keyLedger   = "ledger"
	macSuffix   = ".hmac"
)

// MaxVault is the most that a vault may hold, in bytes.
const MaxVault = 64 << 10

// The ways in which a stored vault cannot be used: each stops everything.
var (
	ErrTampered = errors.New("the vault's HMAC does not fit: it was changed by somebody else, or its key was")
	ErrTooLarge = errors.New("the vault is larger than 64 KiB")
	ErrFormat   = errors.New("the vault is malformed")
)

// sealedSlot and sealedJournal write the tokens out that never show themselves.
type sealedSlot struct {
	Slot
	Tokens [4]string `json:"tokens"`
}

type sealedJournal struct {
	Journal
	UID       string    `json:"uid"`
	AccountID string    `json:"accountID,omitempty"`
	Tokens    [2]string `json:"tokens"`
}

// Encode writes a vault as the data of a Secret, each part with an HMAC (SHA-256)
// over its name, the account and its content.
func Encode(v *Vault, key []byte) (map[string][]byte, error) {
	parts := map[string]any{
		keyJournal: sealedJournal{v.Journal, v.UID, v.AccountID, [2]string{string(v.Journal.Verifier), string(v.Journal.Nonce)}},
		keyLedger:  v.Ledger,
	}
	for name, s := range map[string]*Slot{keyCurrent: v.Current, keyPending: v.Pending, keyRetiring: v.Retiring} {
		if s != nil {
			parts[name] = sealedSlot{*s, [4]string{string(s.Access), string(s.Refresh), string(s.OldAccess), string(s.OldRefresh)}}
		}
	}
	data, total := map[string][]byte{}, 0
	for name, part := range parts {
		text, err := json.Marshal(part)
		if err != nil {
			return nil, fmt.Errorf("encoding the vault's %s: %w", name, ErrFormat)
		}
		data[name] = text
		data[name+macSuffix] = []byte(mac(key, v.part(name), text))
		total += len(text)
	}
	if total > MaxVault {
		return nil, ErrTooLarge
	}
	return data, nil
}

// Bumped is the vault with the next revision, as every store needs it.
func (v *Vault) Bumped() *Vault {
	next := v.copy()
	next.Journal.Revision++
	return next
}

// part names a part of a stored vault. The journal holds the revision itself.
func (v *Vault) part(name string) string {
	if name == keyJournal {
		return v.UID + "\x00" + name
	}
	return fmt.Sprintf("%s\x00%s\x00%d", v.UID, name, v.Journal.Revision)
}

// Decode reads a vault that Encode has written for the same account. The error is
// ErrTampered, ErrTooLarge or ErrFormat and holds nothing of the content.
func Decode(uid string, data map[string][]byte, key []byte) (*Vault, error) {
	v := New(uid)
	var j sealedJournal
	if err := v.open(data, key, keyJournal, &j); err != nil {
		return nil, err
	}
	if j.UID != uid {
		return nil, ErrTampered
	}
	v.Journal, v.AccountID = j.Journal, j.AccountID
	v.Journal.Verifier, v.Journal.Nonce = redact.Token(j.Tokens[0]), redact.Token(j.Tokens[1])
	if err := v.open(data, key, keyLedger, &v.Ledger); err != nil {
		return nil, err
	}
	for name, into := range map[string]**Slot{keyCurrent: &v.Current, keyPending: &v.Pending, keyRetiring: &v.Retiring} {
		if data[name] == nil && data[name+macSuffix] == nil {
			continue
		}
		var s sealedSlot
		if err := v.open(data, key, name, &s); err != nil {
			return nil, err
		}
		slot := s.Slot
		slot.Access, slot.Refresh = redact.Token(s.Tokens[0]), redact.Token(s.Tokens[1])
		slot.OldAccess, slot.OldRefresh = redact.Token(s.Tokens[2]), redact.Token(s.Tokens[3])
		*into = &slot
	}
	return v, nil
}

// open checks one part and reads it.
func (v *Vault) open(data map[string][]byte, key []byte, name string, into any) error {
	text := data[name]
	if len(text) > MaxVault {
		return ErrTooLarge
	}
	if !hmac.Equal([]byte(mac(key, v.part(name), text)), data[name+macSuffix]) {
		return ErrTampered
	}
	if err := json.Unmarshal(text, into); err != nil {
		return ErrFormat
	}
	return nil
}

func mac(key []byte, part string, text []byte) string {
	m := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(m, "mithaq vault\x00%s\x00", part)
	_, _ = m.Write(text)
	return hex.EncodeToString(m.Sum(nil))
}

// Fingerprinter is the keyed digest of tokens that the ledger and the journal
// hold in their stead.
func Fingerprinter(key []byte) func(redact.Token) string {
	return func(token redact.Token) string {
		if token == "" {
			return ""
		}
		m := hmac.New(sha256.New, key)
		_, _ = m.Write([]byte("mithaq token\x00"))
		_, _ = m.Write([]byte(token))
		return base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:15])
	}
}

// Jitter is a stable number in [0, 1) of an account.
func Jitter(uid string) float64 {
	sum := sha256.Sum256([]byte(uid))
	return float64(uint32(sum[0])<<16|uint32(sum[1])<<8|uint32(sum[2])) / (1 << 24)
}
