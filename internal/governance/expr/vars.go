package expr

import (
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Facts is a set of facts of a live profile, in the order of governance.Facts, which
// converts to it.
type Facts uint16

// The facts of a live profile.
const (
	factHandle Facts = 1 << iota
	factDisplayName
	factBio
	factWebsite
	factAvatar
	factBanner
	factVerified
	factProtected
	factFollowers
	factPosts
	factLastPost
	factLocation
)

// Vars is what an expression is evaluated over. It serves any number of expressions,
// one at a time. Its fields may be set to another account or post in between; an
// account itself must not change while it is set.
type Vars struct {
	// Account is required.
	Account *v1alpha1.SocialAccount
	// Live is nil if the account cannot be read.
	Live *v1alpha1.LiveProfile
	// Readable are the facts that the observation could read.
	Readable Facts
	Now      time.Time
	// Post is required for Post expressions.
	Post *PostVars

	account object[*Vars]
	live    object[*Vars]
	post    object[*PostVars]
	// team is that of teamOf.
	team   ref.Val
	teamOf *v1alpha1.SocialAccount
}

// PostVars is one thing that the account did.
type PostVars struct {
	ID       string
	Action   v1alpha1.ActivityAction
	At       time.Time
	EditedAt time.Time
	Text     string
	URL      string
	Links    []string
	// Language is a BCP 47 tag, empty if nothing is known.
	Language string
	By       string
	// Target is nil for what has none, such as a post of one's own.
	Target *TargetVars
}

// TargetVars is the account to which an act goes.
type TargetVars struct {
	ID, Handle string
	// Known says that the platform tells the target. If not, no field of it is known.
	Known bool
	// Governed says whether the account is declared here; nil: not known.
	Governed *bool
}

var _ interpreter.Activation = (*Vars)(nil)

// ResolveName is part of interpreter.Activation.
func (v *Vars) ResolveName(name string) (any, bool) {
	switch name {
	case "account":
		v.account = object[*Vars]{accountObject, accountFields, v}
		return &v.account, true
	case "live":
		v.live = object[*Vars]{liveObject, liveFields, v}
		return &v.live, true
	case "post":
		v.post = object[*PostVars]{postObject, postFields, v.Post}
		return &v.post, v.Post != nil
	case "team":
		if v.teamOf != v.Account {
			v.team, v.teamOf = listOf(memberObject, memberFields, v.Account.Spec.Team), v.Account
		}
		return v.team, true
	case "now":
		return types.Timestamp{Time: v.Now}, true
	default:
		return nil, false
	}
}

// Parent is part of interpreter.Activation.
func (v *Vars) Parent() interpreter.Activation { return nil }

var (
	accountObject         = cel.ObjectType(accountType)
	profileObject         = cel.ObjectType(profileType)
	attestationObject     = cel.ObjectType(attestationType)
	acknowledgementObject = cel.ObjectType(acknowledgementType)
	liveObject            = cel.ObjectType(liveType)
	memberObject          = cel.ObjectType(memberType)
	postObject            = cel.ObjectType(postType)
	targetObject          = cel.ObjectType(targetType)
)

// listOf is a list of objects over the elements of a slice.
func listOf[T any](typ *cel.Type, of fields[*T], elements []T) ref.Val {
	objects := make([]object[*T], len(elements))
	values := make([]ref.Val, len(elements))
	for i := range elements {
		objects[i] = object[*T]{typ, of, &elements[i]}
		values[i] = &objects[i]
	}
	return types.NewRefValList(types.DefaultTypeAdapter, values)
}

// texts is a list of texts.
func texts[T ~string](values []T) ref.Val {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return types.NewStringList(types.DefaultTypeAdapter, list)
}

func str[T ~string](s T) ref.Val { return types.String(s) }

// at is a moment; the zero time is not set.
func at(t time.Time) ref.Val {
	if t.IsZero() {
		return nil
	}
	return types.Timestamp{Time: t}
}
