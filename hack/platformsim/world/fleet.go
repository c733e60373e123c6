package world

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"sigs.k8s.io/yaml"
)

// Fleet is the content of a fleet file: what a world starts with.
type Fleet struct {
	Apps     []App     `json:"apps"`
	Accounts []Account `json:"accounts"`
}

// ReadFleet parses a fleet file; see ParseFleet.
func ReadFleet(path string) (Fleet, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Fleet{}, fmt.Errorf("reading fleet: %w", err)
	}
	f, err := ParseFleet(data)
	if err != nil {
		return Fleet{}, fmt.Errorf("reading fleet %s: %w", path, err)
	}
	return f, nil
}

// ParseFleet parses YAML or JSON. Unknown and duplicate keys are errors, and an
// error says which entry it is about. Values are checked by Load.
func ParseFleet(data []byte) (Fleet, error) {
	plain, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return Fleet{}, fmt.Errorf("parsing fleet: %w", err)
	}
	// Entry by entry: a decoder of the whole would not say which one is wrong.
	var raw struct {
		Apps     []json.RawMessage `json:"apps"`
		Accounts []json.RawMessage `json:"accounts"`
	}
	if err := decodeStrict(plain, &raw); err != nil {
		return Fleet{}, fmt.Errorf("parsing fleet: %w", err)
	}
	f := Fleet{Apps: make([]App, len(raw.Apps)), Accounts: make([]Account, len(raw.Accounts))}
	for i, entry := range raw.Apps {
		if err := decodeStrict(entry, &f.Apps[i]); err != nil {
			return Fleet{}, fmt.Errorf("parsing fleet: apps[%d] (%s/%s): %w", i, f.Apps[i].Platform, f.Apps[i].APIKey, err)
		}
	}
	for i, entry := range raw.Accounts {
		if err := decodeStrict(entry, &f.Accounts[i]); err != nil {
			return Fleet{}, fmt.Errorf("parsing fleet: accounts[%d] (%s): %w", i, entryName(f.Accounts[i]), err)
		}
	}
	return f, nil
}

func entryName(a Account) string {
	return fmt.Sprintf("%s/%s %s", a.Platform, a.ID, a.Handle)
}

// decodeStrict decodes exactly one JSON value without unknown fields.
func decodeStrict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

// Load adds a fleet. Unlike Put it takes an id only once, so that a typing
// error does not hide an account. It stops at the first bad entry, which the
// error names, with those before it added.
func (w *World) Load(f Fleet) error {
	for i, a := range f.Apps {
		if err := w.PutApp(a); err != nil {
			return fmt.Errorf("loading fleet: apps[%d]: %w", i, err)
		}
	}
	for i, a := range f.Accounts {
		if err := w.add(a); err != nil {
			return fmt.Errorf("loading fleet: accounts[%d] (%s): %w", i, entryName(a), err)
		}
	}
	return nil
}

func (w *World) add(a Account) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s, ok := w.accounts[a.Platform]; ok && s.byID[a.ID] != nil {
		return fmt.Errorf("%w: the id is used twice", ErrConflict)
	}
	return w.put(a)
}
