package rotation

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func vault(t *testing.T) *Vault {
	t.Helper()
	w := newWorld(t, kinds()[0], "codec")
	w.facts.Declared = after
	for w.load().Journal.Phase != Overlap {
		if busy, err := w.pass(); err != nil || !busy {
			t.Fatalf("no overlap: %v", err)
		}
	}
	return w.load()
}

func TestAVaultComesBackAsItWas(t *testing.T) {
	v := vault(t)
	data, err := Encode(v, key)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(v.UID, data, key)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v, got); diff != "" {
		t.Error(diff)
	}
	if got.Current.Access == "" || got.Retiring.Refresh == "" {
		t.Error("tokens are lost")
	}
}

func TestAChangedVaultIsRefused(t *testing.T) {
	v := vault(t)
	data, err := Encode(v, key)
	if err != nil {
		t.Fatal(err)
	}
	older, err := Encode(func() *Vault { next := v.copy(); next.Journal.Revision--; return next }(), key)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(map[string][]byte){
		"a byte":               func(d map[string][]byte) { d["current"][10] ^= 1 },
		"a part is gone":       func(d map[string][]byte) { delete(d, "retiring") },
		"its HMAC is gone":     func(d map[string][]byte) { delete(d, "ledger.hmac") },
		"a part of before":     func(d map[string][]byte) { d["current"], d["current.hmac"] = older["current"], older["current.hmac"] },
		"a part of another":    func(d map[string][]byte) { d["current"], d["current.hmac"] = d["retiring"], d["retiring.hmac"] },
		"the journal is empty": func(d map[string][]byte) { d["journal"] = nil },
	} {
		changed := map[string][]byte{}
		for k, text := range data {
			changed[k] = append([]byte(nil), text...)
		}
		change(changed)
		if _, err := Decode(v.UID, changed, key); !errors.Is(err, ErrTampered) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := Decode("another", maps.Clone(data), key); !errors.Is(err, ErrTampered) {
		t.Error("another account's vault is taken")
	}
	if _, err := Decode(v.UID, data, []byte("another key")); !errors.Is(err, ErrTampered) {
		t.Error("another key is taken")
	}
}

func TestAVaultIsBounded(t *testing.T) {
	v := vault(t)
	for i := range 4 * maxLedger {
		v.Ledger = append(v.Ledger, Entry{CredID: fmt.Sprint(i), State: GrantDead, At: time.Unix(int64(i), 0)})
	}
	v.trim()
	if len(v.Ledger) > maxLedger {
		t.Errorf("%d grants are kept", len(v.Ledger))
	}
	for _, s := range []*Slot{v.Current, v.Retiring} {
		found := false
		for _, e := range v.Ledger {
			found = found || e.CredID == s.CredID
		}
		if !found {
			t.Errorf("the ledger forgot %s, which lives", s.CredID)
		}
	}
	v.Current.Scopes = []string{strings.Repeat("x", MaxVault)}
	if _, err := Encode(v, key); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestAVaultNeverShowsItsTokens(t *testing.T) {
	v := vault(t)
	shown := fmt.Sprintf("%v %+v %#v", v, *v, *v.Current)
	for _, secret := range []string{string(v.Current.Access), string(v.Retiring.Refresh)} {
		if strings.Contains(shown, secret) {
			t.Errorf("it shows %s", secret)
		}
	}
}

func FuzzDecode(f *testing.F) {
	v := New("uid-1")
	data, err := Encode(v, key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data["journal"], []byte(mac(key, v.part(keyJournal), data["journal"])))
	f.Add([]byte(`{"uid":1}`), []byte("x"))
	f.Fuzz(func(t *testing.T, journal, seal []byte) {
		got, err := Decode("uid-1", map[string][]byte{"journal": journal, "journal.hmac": seal, "ledger": data["ledger"], "ledger.hmac": data["ledger.hmac"]}, key)
		if err == nil && got.UID != "uid-1" {
			t.Error("another account's vault was taken")
		}
	})
}
