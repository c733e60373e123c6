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
	People   []Person  `json:"people,omitempty"`
	Roles    []Role    `json:"roles,omitempty"`
	// Tokens are those that exist already.
	Tokens []Mint `json:"tokens,omitempty"`
	// Posts are counted in their accounts already: loading them moves no count.
	Posts []Post `json:"posts,omitempty"`
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
	plain, err := plainJSON(data)
	if err != nil {
		return Fleet{}, fmt.Errorf("parsing fleet: %w", err)
	}
	// Entry by entry: a decoder of the whole would not say which one is wrong.
	var raw struct {
		Apps     []json.RawMessage `json:"apps"`
		Accounts []json.RawMessage `json:"accounts"`
		People   []json.RawMessage `json:"people"`
		Roles    []json.RawMessage `json:"roles"`
		Tokens   []json.RawMessage `json:"tokens"`
		Posts    []json.RawMessage `json:"posts"`
	}
	if err := decodeStrict(plain, &raw); err != nil {
		return Fleet{}, fmt.Errorf("parsing fleet: %w", err)
	}
	var f Fleet
	for _, err := range []error{
		entries("apps", raw.Apps, &f.Apps, func(a App) string { return fmt.Sprintf("%s/%s", a.Platform, a.APIKey) }),
		entries("accounts", raw.Accounts, &f.Accounts, entryName),
		entries("people", raw.People, &f.People, func(p Person) string { return fmt.Sprintf("%s/%s", p.Platform, p.ID) }),
		entries("roles", raw.Roles, &f.Roles, func(r Role) string { return fmt.Sprintf("%s/%s %s", r.Platform, r.Account, r.Person) }),
		entries("tokens", raw.Tokens, &f.Tokens, func(m Mint) string { return fmt.Sprintf("%s/%s %s", m.Platform, m.Client, m.Person) }),
		entries("posts", raw.Posts, &f.Posts, func(p Post) string { return fmt.Sprintf("%s/%s", p.Platform, p.ID) }),
	} {
		if err != nil {
			return Fleet{}, fmt.Errorf("parsing fleet: %w", err)
		}
	}
	return f, nil
}

// plainJSON is the file as JSON. What is JSON already stays as it is: the fleet of a
// benchmark would take YAML's parser minutes.
func plainJSON(data []byte) ([]byte, error) {
	if bytes.HasPrefix(data, []byte("{\"")) && json.Valid(data) {
		return data, nil
	}
	return yaml.YAMLToJSONStrict(data)
}

func entries[T any](section string, raw []json.RawMessage, into *[]T, name func(T) string) error {
	*into = make([]T, len(raw))
	for i, entry := range raw {
		if err := decodeStrict(entry, &(*into)[i]); err != nil {
			return fmt.Errorf("%s[%d] (%s): %w", section, i, name((*into)[i]), err)
		}
	}
	return nil
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
	return w.loadPeople(f)
}

func (w *World) loadPeople(f Fleet) error {
	for i, p := range f.People {
		if err := w.PutPerson(p); err != nil {
			return fmt.Errorf("loading fleet: people[%d]: %w", i, err)
		}
	}
	for i, r := range f.Roles {
		if err := w.assign(r); err != nil {
			return fmt.Errorf("loading fleet: roles[%d]: %w", i, err)
		}
	}
	for i, m := range f.Tokens {
		if _, _, err := w.Mint(m); err != nil {
			return fmt.Errorf("loading fleet: tokens[%d]: %w", i, err)
		}
	}
	for i, p := range f.Posts {
		if err := w.putPost(p, false); err != nil {
			return fmt.Errorf("loading fleet: posts[%d]: %w", i, err)
		}
	}
	return nil
}

// assign puts a role on one account, or on all of the person's organisation.
func (w *World) assign(r Role) error {
	if r.Account != AllAccounts {
		return w.PutRole(r)
	}
	person, ok := w.Person(r.Platform, r.Person)
	if !ok || person.Organisation == "" {
		return fmt.Errorf("person %s/%s with an organisation: %w", r.Platform, r.Person, ErrNotFound)
	}
	for _, id := range w.owned(r.Platform, person.Organisation) {
		r.Account = id
		if err := w.PutRole(r); err != nil {
			return err
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
