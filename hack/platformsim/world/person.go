package world

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
)

// PersonKind says what stands behind an access.
type PersonKind string

// The kinds: a closed list.
const (
	// Human is the default.
	Human PersonKind = "Person"
	// System is a machine's own user, such as a system user of a Meta portfolio.
	System PersonKind = "System"
	// Partner is another organisation with access.
	Partner PersonKind = "Partner"
)

// Person is somebody who can consent, hold tokens and have roles: a principal.
type Person struct {
	Platform Platform   `json:"platform"`
	ID       string     `json:"id"`
	Name     string     `json:"name,omitempty"`
	Email    string     `json:"email,omitempty"`
	Kind     PersonKind `json:"kind,omitempty"`
	// Organisation is the id of the portfolio, organisation or domain the person
	// belongs to; empty is none. OrganisationRole is the platform's own word.
	Organisation     string `json:"organisation,omitempty"`
	OrganisationRole string `json:"organisationRole,omitempty"`
	// Pending: invited to the organisation, not in yet.
	Pending bool `json:"pending,omitempty"`
	// TwoFactor is nil where nobody knows.
	TwoFactor *bool `json:"twoFactor,omitempty"`
	// Checkpoint: the platform wants the person to log in again before tokens work.
	Checkpoint bool `json:"checkpoint,omitempty"`
}

// Role is a person's access to one account.
type Role struct {
	Platform Platform `json:"platform"`
	// Account is an account's id, or AllAccounts in a fleet.
	Account string `json:"account"`
	Person  string `json:"person"`
	// Tasks are the platform's own words, in order.
	Tasks []string `json:"tasks,omitempty"`
	// Direct: given by the account itself, not through an organisation.
	Direct  bool `json:"direct,omitempty"`
	Pending bool `json:"pending,omitempty"`
}

// AllAccounts in a fleet's role stands for each account loaded so far whose
// owner is the person's organisation.
const AllAccounts = "*"

type roleKey struct{ account, person postKey }

type peopleStore struct {
	mu     sync.RWMutex
	people map[postKey]*Person
	// byAccount and byPerson are kept in step.
	byAccount map[postKey]map[string]*Role
	byPerson  map[postKey]map[string]*Role
	security  map[postKey]Security
}

func newPeopleStore() peopleStore {
	return peopleStore{people: map[postKey]*Person{}, byAccount: map[postKey]map[string]*Role{}, byPerson: map[postKey]map[string]*Role{}, security: map[postKey]Security{}}
}

// PutPerson creates or replaces a person. It fails with ErrInvalid.
func (w *World) PutPerson(p Person) error {
	if p.Kind == "" {
		p.Kind = Human
	}
	_, known := rules[p.Platform]
	switch {
	case !known, !anyName.MatchString(p.ID):
		return fmt.Errorf("putting person %s/%s: %w: platform or id", p.Platform, p.ID, ErrInvalid)
	case p.Kind != Human && p.Kind != System && p.Kind != Partner:
		return fmt.Errorf("putting person %s/%s: %w: kind %q is not Person, System or Partner", p.Platform, p.ID, ErrInvalid, p.Kind)
	}
	w.people.mu.Lock()
	defer w.people.mu.Unlock()
	w.people.people[postKey{p.Platform, p.ID}] = &p
	return nil
}

// Person returns a person.
func (w *World) Person(p Platform, id string) (Person, bool) {
	w.people.mu.RLock()
	defer w.people.mu.RUnlock()
	person, ok := w.people.people[postKey{p, id}]
	if !ok {
		return Person{}, false
	}
	return *person, true
}

// People returns the people of an organisation by id; empty is everybody.
func (w *World) People(p Platform, organisation string) []Person {
	w.people.mu.RLock()
	defer w.people.mu.RUnlock()
	var out []Person
	for _, person := range w.people.people {
		if person.Platform == p && (organisation == "" || person.Organisation == organisation) {
			out = append(out, *person)
		}
	}
	slices.SortFunc(out, func(a, b Person) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// UpdatePerson applies change, which must touch neither platform nor id. It
// fails with ErrNotFound or ErrInvalid.
func (w *World) UpdatePerson(p Platform, id string, change func(*Person)) error {
	person, ok := w.Person(p, id)
	if !ok {
		return fmt.Errorf("person %s/%s: %w", p, id, ErrNotFound)
	}
	change(&person)
	if person.Platform != p || person.ID != id {
		return fmt.Errorf("person %s/%s: %w: platform and id cannot change", p, id, ErrInvalid)
	}
	return w.PutPerson(person)
}

// RemovePerson takes a person and all their roles away; what tokens they hold
// stay, and see nothing. It fails with ErrNotFound.
func (w *World) RemovePerson(p Platform, id string) error {
	w.people.mu.Lock()
	defer w.people.mu.Unlock()
	key := postKey{p, id}
	if _, ok := w.people.people[key]; !ok {
		return fmt.Errorf("removing person %s/%s: %w", p, id, ErrNotFound)
	}
	delete(w.people.people, key)
	delete(w.people.security, key)
	for account := range w.people.byPerson[key] {
		delete(w.people.byAccount[postKey{p, account}], id)
	}
	delete(w.people.byPerson, key)
	return nil
}

// PutRole gives a person access to an account, or replaces it. The person must
// exist; it fails with ErrNotFound or ErrInvalid.
func (w *World) PutRole(r Role) error {
	if _, ok := w.Account(r.Platform, r.Account); !ok {
		return fmt.Errorf("putting role: account %s/%s: %w", r.Platform, r.Account, ErrNotFound)
	}
	w.people.mu.Lock()
	defer w.people.mu.Unlock()
	account, person := postKey{r.Platform, r.Account}, postKey{r.Platform, r.Person}
	if _, ok := w.people.people[person]; !ok {
		return fmt.Errorf("putting role: person %s/%s: %w", r.Platform, r.Person, ErrNotFound)
	}
	r.Tasks = slices.Clone(r.Tasks)
	w.people.put(roleKey{account, person}, &r)
	return nil
}

func (s *peopleStore) put(key roleKey, r *Role) {
	if s.byAccount[key.account] == nil {
		s.byAccount[key.account] = map[string]*Role{}
	}
	if s.byPerson[key.person] == nil {
		s.byPerson[key.person] = map[string]*Role{}
	}
	s.byAccount[key.account][r.Person] = r
	s.byPerson[key.person][r.Account] = r
}

// RemoveRole takes a person's access to an account away. It fails with ErrNotFound.
func (w *World) RemoveRole(p Platform, account, person string) error {
	w.people.mu.Lock()
	defer w.people.mu.Unlock()
	roles := w.people.byAccount[postKey{p, account}]
	if _, ok := roles[person]; !ok {
		return fmt.Errorf("removing role of %s on %s/%s: %w", person, p, account, ErrNotFound)
	}
	delete(roles, person)
	delete(w.people.byPerson[postKey{p, person}], account)
	return nil
}

// RoleOf returns a person's access to an account.
func (w *World) RoleOf(p Platform, account, person string) (Role, bool) {
	w.people.mu.RLock()
	defer w.people.mu.RUnlock()
	r, ok := w.people.byAccount[postKey{p, account}][person]
	if !ok {
		return Role{}, false
	}
	return *r, true
}

// Roles lists who has access to an account, by person.
func (w *World) Roles(p Platform, account string) []Role {
	return w.listRoles(func(s *peopleStore) map[string]*Role { return s.byAccount[postKey{p, account}] })
}

// RolesOf lists what a person has access to, by account.
func (w *World) RolesOf(p Platform, person string) []Role {
	return w.listRoles(func(s *peopleStore) map[string]*Role { return s.byPerson[postKey{p, person}] })
}

func (w *World) listRoles(from func(*peopleStore) map[string]*Role) []Role {
	w.people.mu.RLock()
	defer w.people.mu.RUnlock()
	out := []Role{}
	for _, r := range from(&w.people) {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b Role) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Person, b.Person))
	})
	return out
}
