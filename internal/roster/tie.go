package roster

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
)

// Tie is what accounts share: a claim of the same account, or a person. It is a hash of
// 128 bits, of which two are never met to be the same (1 in 10^25 for a million
// accounts), so no text of other accounts has to be kept.
type Tie [16]byte

// IsPerson says that the tie is a person.
func (t Tie) IsPerson() bool { return t[0]&1 == 1 }

// short leads to a claim in an index: 32 bits, which others may have too.
func (t Tie) short() uint32 { return binary.LittleEndian.Uint32(t[len(t)-4:]) }

func tie(text string, person byte) Tie {
	sum := sha256.Sum256([]byte(text))
	t := Tie(sum[:16])
	t[0] = t[0]&^1 | person
	return t
}

// Person is the tie between the accounts of a person, by governance.PersonKey.
func Person(key string) Tie { return tie("person/"+key, 1) }

// Handle is the claim of whoever has a handle.
func Handle(platform v1alpha1.PlatformName, handle string) Tie {
	return tie(string(platform)+"/handle/"+strings.ToLower(handle), 0)
}

// ID is the claim of the account with an id of the platform's.
func ID(platform v1alpha1.PlatformName, accountID string) Tie {
	return tie(string(platform)+"/id/"+accountID, 0)
}

// claims are the ways in which an account is claimed: by its declared handle, and by
// its id, declared or pinned.
func claims(acc *v1alpha1.SocialAccount) []Tie {
	out := []Tie{Handle(acc.Spec.Platform, acc.Spec.Handle)}
	if accountID := PinnedID(acc); accountID != "" {
		out = append(out, ID(acc.Spec.Platform, accountID))
	}
	return out
}

// PinnedID is the account's id: as declared, else as first observed.
func PinnedID(acc *v1alpha1.SocialAccount) string {
	if acc.Spec.AccountID != "" {
		return acc.Spec.AccountID
	}
	return acc.Status.AccountID
}

// people are everybody who answers for the account or works on it.
func people(acc *v1alpha1.SocialAccount) []Tie {
	out := []Tie{Person(governance.PersonKey(acc.Spec.Owner.Accountable))}
	for i := range acc.Spec.Team {
		if t := Person(governance.PersonKey(acc.Spec.Team[i].Person)); !contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// TiesOf are an account's ties.
func TiesOf(acc *v1alpha1.SocialAccount) []Tie {
	c, p := claims(acc), people(acc)
	return append(append(make([]Tie, 0, len(c)+len(p)), c...), p...)
}

func contains(ties []Tie, t Tie) bool {
	for _, other := range ties {
		if other == t {
			return true
		}
	}
	return false
}
