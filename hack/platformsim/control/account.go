package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

func decodeBytes(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", errBody, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: more than one value", errBody)
	}
	return nil
}

// target is the account a path names.
func target(r *http.Request) (world.Platform, string, error) {
	p, err := world.ParsePlatform(r.PathValue("platform"))
	return p, r.PathValue("ref"), err
}

func (s *server) getAccount(r *http.Request) (int, any, error) {
	p, ref, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	a, err := s.world.Find(p, ref)
	return http.StatusOK, a, err
}

// putAccount creates or replaces; the path's reference is the id.
func (s *server) putAccount(r *http.Request) (int, any, error) {
	p, id, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	a := world.Account{Platform: p, ID: id}
	if err := decode(r, &a); err != nil {
		return 0, nil, err
	}
	if a.Platform != p || a.ID != id {
		return 0, nil, fmt.Errorf("%w: platform and id %s/%s are not those of the path, %s/%s", errBody, a.Platform, a.ID, p, id)
	}
	status := http.StatusCreated
	if _, exists := s.world.Account(p, id); exists {
		status = http.StatusOK
	}
	if err := s.world.Put(a); err != nil {
		return 0, nil, err
	}
	a, err = s.world.Find(p, id)
	return status, a, err
}

// patchAccount is a JSON merge patch (RFC 7396): null unsets a field.
func (s *server) patchAccount(r *http.Request) (int, any, error) {
	p, ref, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	var patch map[string]json.RawMessage
	if err := decode(r, &patch); err != nil {
		return 0, nil, err
	}
	a, err := s.world.Update(p, ref, func(a *world.Account) error { return merge(a, patch) })
	return http.StatusOK, a, err
}

// accountFields are the JSON names of an account's fields.
var accountFields = func() map[string]bool {
	names := map[string]bool{}
	for field := range reflect.TypeFor[world.Account]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names[name] = true
	}
	return names
}()

// merge goes by way of JSON, so that the names and the strictness of a patch
// are those of an account.
func merge(a *world.Account, patch map[string]json.RawMessage) error {
	data, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encoding account: %w", err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return fmt.Errorf("decoding account: %w", err)
	}
	for name, value := range patch {
		// The decoder below takes names in any case; the old value could win.
		if !accountFields[name] {
			return fmt.Errorf("%w: unknown field %q", errBody, name)
		}
		members[name] = value
	}
	if data, err = json.Marshal(members); err != nil {
		return fmt.Errorf("encoding patch: %w", err)
	}
	*a = world.Account{}
	return decodeBytes(data, a)
}

func (s *server) deleteAccount(r *http.Request) (int, any, error) {
	p, ref, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, s.world.Delete(p, ref)
}

func (s *server) recycle(r *http.Request) (int, any, error) {
	p, ref, err := target(r)
	if err != nil {
		return 0, nil, err
	}
	var body struct {
		NewID string `json:"newID"`
	}
	if err := decode(r, &body); err != nil {
		return 0, nil, err
	}
	stranger, err := s.world.Recycle(p, ref, body.NewID)
	return http.StatusCreated, stranger, err
}
