package governance

import (
	"math/bits"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/unicode/norm"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance/expr"
)

// subject is an account under judgement. What several rules need is worked out
// once.
type subject struct {
	input   Input
	in      *Input // the one above
	account *v1alpha1.SocialAccount
	live    *Live // nil: not readable
	rule    *rule // under judgement

	// recordHolds: the record was judged under the policies of this judgement.
	recordHolds bool
	gaps        gaps

	team     []person
	teamRoom [8]person

	bio      string
	bioReady bool

	vars expr.Vars // without an account: not needed yet

	diff      profileDiff
	diffReady bool
}

// subjects are used again: they are the larger part of what an evaluation needs.
var subjects = sync.Pool{New: func() any { return new(subject) }}

func newSubject(in Input) *subject {
	s := subjects.Get().(*subject)
	s.input, s.account = in, in.Account
	s.in = &s.input
	if in.Live != nil && in.Live.Profile != nil {
		s.live = in.Live
	}
	return s
}

// free forgets everything; nothing of a result points into a subject.
func (s *subject) free() {
	*s = subject{}
	subjects.Put(s)
}

// person is somebody on the account, however often named.
type person struct {
	name  string
	key   string
	roles roleSet
}

// judge asks the rule, unless the live fact that it needs is missing.
func (s *subject) judge(r *rule) outcome {
	s.rule = r
	if r.needs != 0 {
		if s.live == nil {
			return s.notSeen()
		}
		if !s.live.Readable.Has(r.needs) {
			return unknown("the platform does not tell " + factNames[r.needs])
		}
	}
	return r.judge(s)
}

// notSeen is the outcome of a rule about an account that cannot be read.
func (s *subject) notSeen() outcome {
	why := s.in.LiveMissing
	if why == "" {
		why = "the account has not been observed"
	}
	return unknown("cannot be judged: " + why)
}

var factNames = map[Facts]string{
	FactHandle:      "the handle",
	FactDisplayName: "the display name",
	FactBio:         "the bio",
	FactWebsite:     "the website",
	FactAvatar:      "the profile image",
	FactVerified:    "whether the account bears the badge",
}

// people are the different people on the account, by key: who is accountable and
// the team.
func (s *subject) people() []person {
	if s.team != nil {
		return s.team
	}
	s.team = s.teamRoom[:0]
	s.join(s.account.Spec.Owner.Accountable, nil)
	for i := range s.account.Spec.Team {
		s.join(s.account.Spec.Team[i].Person, s.account.Spec.Team[i].Roles)
	}
	slices.SortFunc(s.team, func(a, b person) int { return strings.Compare(a.key, b.key) })
	return s.team
}

func (s *subject) join(name v1alpha1.PersonName, roles []v1alpha1.Role) {
	key := PersonKey(name)
	if key == "" {
		return
	}
	i := slices.IndexFunc(s.team, func(p person) bool { return p.key == key })
	if i < 0 {
		i = len(s.team)
		s.team = append(s.team, person{name: string(name), key: key})
	}
	s.team[i].roles |= rolesOf(roles)
}

// plainBio is the live description, made comparable.
func (s *subject) plainBio() string {
	if !s.bioReady {
		s.bio, s.bioReady = plain(s.live.Profile.Bio), true
	}
	return s.bio
}

// profileDiff compares the live profile with the declared one.
func (s *subject) profileDiff() profileDiff {
	if !s.diffReady {
		s.diff, s.diffReady = diffProfile(s.account, s.live), true
	}
	return s.diff
}

// Drift lists where the live profile differs from spec.handle and spec.profile,
// in a fixed order; Since is left to the caller. A field that cannot be read is
// not drift.
func Drift(acc *v1alpha1.SocialAccount, live *Live) []v1alpha1.Drift {
	if live == nil || live.Profile == nil {
		return nil
	}
	return diffProfile(acc, live).drift
}

// profileDiff is what differs from the approved profile, and what of it could not
// be read.
type profileDiff struct {
	drift  []v1alpha1.Drift
	unread []string
}

func diffProfile(acc *v1alpha1.SocialAccount, live *Live) profileDiff {
	var d profileDiff
	has := live.Readable.Has
	d.compare("handle", acc.Spec.Handle, live.Profile.Handle, has(FactHandle), sameHandle)
	p := acc.Spec.Profile
	if p == nil {
		return d
	}
	d.compare("displayName", p.DisplayName, live.Profile.DisplayName, has(FactDisplayName), sameText)
	d.compare("bio", p.Bio, live.Profile.Bio, has(FactBio), sameText)
	d.compare("website", string(p.Website), live.Profile.Website, has(FactWebsite), sameLink)
	if p.Avatar != nil {
		d.avatar(p.Avatar, live)
	}
	return d
}

func (d *profileDiff) compare(field, want, got string, readable bool, same func(a, b string) bool) {
	switch {
	case want == "":
	case !readable:
		d.unread = append(d.unread, field)
	case !same(want, got):
		d.differs(field, want, got)
	}
}

func (d *profileDiff) differs(field, want, got string) {
	d.drift = append(d.drift, v1alpha1.Drift{Field: field, Want: shorten(want, maxDrift), Got: shorten(got, maxDrift)})
}

// avatar compares by whichever fingerprint is declared. An account without an
// image differs; an image that nobody has fingerprinted is not known.
func (d *profileDiff) avatar(want *v1alpha1.ApprovedAvatar, live *Live) {
	const field = "avatar"
	declared, got := string(want.SHA256), string(live.Profile.AvatarSHA256)
	same := strings.EqualFold
	if declared == "" {
		declared, got = string(want.PerceptualHash), string(live.Profile.AvatarPerceptualHash)
		same = sameHash
	}
	switch {
	case declared == "":
	case !live.Readable.Has(FactAvatar):
		d.unread = append(d.unread, field)
	case live.Profile.AvatarURL == "":
		d.differs(field, declared, "")
	case got == "":
		d.unread = append(d.unread, field)
	case !same(declared, got):
		d.differs(field, declared, got)
	}
}

func sameHash(a, b string) bool {
	x, okX := parseHash(v1alpha1.HexPerceptualHash(a))
	y, okY := parseHash(v1alpha1.HexPerceptualHash(b))
	return okX && okY && bits.OnesCount64(x^y) <= sameImage
}

// sameHandle compares as the platforms do: without case.
func sameHandle(a, b string) bool {
	return strings.EqualFold(a, b) || strings.EqualFold(norm.NFC.String(a), norm.NFC.String(b))
}
