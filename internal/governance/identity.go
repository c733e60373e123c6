package governance

import (
	"math/bits"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// sameImage is how many of the 64 bits of a difference hash may differ in two
// encodings of one image, where a policy does not say.
const sameImage = 6

func (c *compiler) identity() {
	id := c.spec.Identity
	if id == nil {
		return
	}
	c.handlePattern(id.HandlePattern)
	c.displayNamePattern(id.DisplayNamePattern)
	c.bio(id.BioMustContain)
	if len(id.WebsiteDomains) > 0 {
		c.add(rule{name: ruleWebsite, needs: FactWebsite, judge: websiteDomains(c.domains(id.WebsiteDomains))})
	}
	switch id.Verified {
	case v1alpha1.VerifiedRequired:
		c.add(rule{name: ruleVerified, needs: FactVerified, judge: judgeVerified})
	case v1alpha1.VerifiedPreferred:
		c.add(rule{name: ruleVerified, needs: FactVerified, judge: judgeVerified, severity: low, mode: v1alpha1.FindingAudit})
	case v1alpha1.VerifiedIgnored:
	}
	c.avatars(id.Avatars)
	c.add(rule{name: ruleApprovedProfile, judge: judgeApprovedProfile})
}

func (c *compiler) handlePattern(pattern v1alpha1.RegularExpression) {
	if pattern == "" {
		return
	}
	re := c.pattern(ruleHandle, "spec.identity.handlePattern", pattern)
	c.add(rule{name: ruleHandle, needs: FactHandle, judge: func(s *subject) outcome {
		live := s.live.Profile.Handle
		if re.MatchString(strings.ToLower(live)) {
			return pass()
		}
		return mismatch("handle", quote(live, maxQuote), re)
	}})
}

// displayNamePattern quotes no name of a Personal account: people's own names
// stay out of findings.
func (c *compiler) displayNamePattern(pattern v1alpha1.RegularExpression) {
	if pattern == "" {
		return
	}
	re := c.pattern(ruleDisplayName, "spec.identity.displayNamePattern", pattern)
	c.add(rule{name: ruleDisplayName, needs: FactDisplayName, judge: func(s *subject) outcome {
		live := s.live.Profile.DisplayName
		if re.MatchString(live) {
			return pass()
		}
		if classOf(s.account) == v1alpha1.ClassPersonal {
			return mismatch("display name", "", re)
		}
		return mismatch("display name", quote(live, maxQuote), re)
	}})
}

func mismatch(what, live string, re *regexp.Regexp) outcome {
	if live != "" {
		what += " " + live
	}
	return violated("the " + what + " does not match the pattern " + clean(re.String(), 2*maxQuote))
}

func (c *compiler) bio(texts []string) {
	if len(texts) == 0 {
		return
	}
	wanted := make([]string, len(texts))
	for i, text := range texts {
		c.safe(ruleBio, "spec.identity.bioMustContain"+index(i), text)
		if wanted[i] = plain(text); wanted[i] == "" {
			c.problem(Problem{Rule: ruleBio, Path: "spec.identity.bioMustContain" + index(i), Text: "the text is nothing but white space"})
		}
	}
	c.add(rule{name: ruleBio, needs: FactBio, judge: func(s *subject) outcome {
		var missing []string
		for _, w := range wanted {
			if !standsIn(s.live.Profile.Bio, w) && !strings.Contains(s.plainBio(), w) {
				missing = append(missing, `"`+shorten(w, maxQuote)+`"`)
			}
		}
		if missing == nil {
			return pass()
		}
		return violated("the bio does not contain " + list(missing))
	}})
}

// standsIn says that a comparable text stands in one that need not be made comparable:
// what follows cannot change its last character.
func standsIn(s, w string) bool {
	i := strings.Index(s, w)
	end := i + len(w)
	return i >= 0 && (end == len(s) || s[end] < utf8.RuneSelf)
}

func websiteDomains(domains []string) func(*subject) outcome {
	return func(s *subject) outcome {
		live := s.live.Profile.Website
		if live == "" {
			return violated("the account shows no website; it must show one at " + list(domains) + " or below")
		}
		host := webHost(live)
		if within(host, domains) {
			return linksBack(s.live.LinksBack)
		}
		if host == "" {
			return violated("the website " + quote(live, maxQuote) + " is no web address at " + list(domains) + " or below")
		}
		return violated("the website leads to " + quote(host, maxQuote) + ", which is not at " + list(domains) + " or below")
	}
}

// linksBack: where it is known, the website must link to the account in turn, or else
// anybody could point to it. Where it is not, only the account's side is judged.
func linksBack(known *bool) outcome {
	if known != nil && !*known {
		return violated("the website does not link back to the account")
	}
	return pass()
}

func judgeVerified(s *subject) outcome {
	switch verified := s.live.Profile.Verified; {
	case verified == nil:
		return unknown("the platform does not tell " + factNames[FactVerified])
	case *verified:
		return pass()
	default:
		return violated("the account does not bear the platform's badge")
	}
}

// emblem is a profile image of the visual identity.
type emblem struct {
	name    string
	hash    uint64
	allowed int
}

func (c *compiler) avatars(rules []v1alpha1.AvatarRule) {
	if len(rules) == 0 {
		return
	}
	emblems := make([]emblem, len(rules))
	for i, r := range rules {
		hash, ok := parseHash(r.PerceptualHash)
		if !ok {
			c.problem(Problem{Rule: ruleAvatar, Path: "spec.identity.avatars" + index(i) + ".perceptualHash", Text: "a perceptual hash has 16 hexadecimal digits"})
		}
		emblems[i] = emblem{name: string(r.Name), hash: hash, allowed: sameImage}
		if r.MaxDistance != nil {
			emblems[i].allowed = int(*r.MaxDistance)
		}
	}
	c.add(rule{name: ruleAvatar, needs: FactAvatar, judge: func(s *subject) outcome { return judgeAvatar(s.live.Profile, emblems) }})
}

func judgeAvatar(live *v1alpha1.LiveProfile, emblems []emblem) outcome {
	if live.AvatarURL == "" {
		return violated("the account shows no profile image")
	}
	hash, ok := parseHash(live.AvatarPerceptualHash)
	if !ok {
		return unknown("the profile image has not been compared")
	}
	nearest, least := 0, 65
	for i, e := range emblems {
		d := bits.OnesCount64(e.hash ^ hash)
		if d <= e.allowed {
			return pass()
		}
		if d < least || d == least && e.name < emblems[nearest].name {
			nearest, least = i, d
		}
	}
	e := emblems[nearest]
	return violated("the profile image is not one of the visual identity: it differs from the nearest, " + e.name +
		", in " + strconv.Itoa(least) + " of 64 bits; at most " + strconv.Itoa(e.allowed) + " may differ")
}

func parseHash(s v1alpha1.HexPerceptualHash) (uint64, bool) {
	hash, err := strconv.ParseUint(string(s), 16, 64)
	return hash, err == nil && len(s) == 16
}

func judgeApprovedProfile(s *subject) outcome {
	if s.account.Spec.Profile == nil {
		return outcome{}
	}
	if s.live == nil {
		return s.notSeen()
	}
	diff := s.profileDiff()
	if len(diff.drift) > 0 {
		fields := make([]string, len(diff.drift))
		for i, d := range diff.drift {
			fields[i] = d.Field
		}
		return violated("the live profile differs from the approved one in: " + strings.Join(fields, ", "))
	}
	if len(diff.unread) > 0 {
		return unknown("not everything that is approved could be compared; missing: " + strings.Join(diff.unread, ", "))
	}
	return pass()
}
