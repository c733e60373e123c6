package governance

import (
	"slices"
	"strings"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Facts is a set of facts of a live profile.
type Facts uint16

// The facts of a live profile, in the order of platform.Field, so that
// Facts(platform.FieldSet) converts.
const (
	FactHandle Facts = 1 << iota
	FactDisplayName
	FactBio
	FactWebsite
	FactAvatar
	FactBanner
	FactVerified
	FactProtected
	FactFollowers
	FactPosts
	FactLastPost
	FactLocation
)

// Has says whether all of want are in the set.
func (f Facts) Has(want Facts) bool { return f&want == want }

// RuleDoc describes one rule, or one family of rules, for the documentation.
type RuleDoc struct {
	// Name is the rule's section and name. A family, whose names the policies
	// choose, ends with <name>: content/<name>.
	Name    string
	Section string
	// Needs are the live facts without which the verdict is Unknown.
	Needs Facts
	// Evidence says how a verdict other than Unknown is known.
	Evidence v1alpha1.Evidence
	// Severity of the findings, where the policy does not say.
	Severity v1alpha1.Severity
	Meaning  string
}

// The built-in rules.
const (
	ruleMinPeople         = "ownership/min-people"
	ruleIncompatibleRoles = "ownership/incompatible-roles"
	ruleMaxAccounts       = "ownership/max-accounts-per-person"
	ruleAllowedDomains    = "ownership/allowed-domains"
	ruleAcknowledgement   = "ownership/acknowledgement"
	ruleHandle            = "identity/handle-pattern"
	ruleDisplayName       = "identity/display-name-pattern"
	ruleBio               = "identity/bio-must-contain"
	ruleWebsite           = "identity/website-domains"
	ruleVerified          = "identity/verified"
	ruleAvatar            = "identity/avatar"
	ruleApprovedProfile   = "identity/approved-profile"
	ruleMaxAge            = "credentials/max-age"
	ruleAllowedLanguages  = "languages/allowed"
	rulePrimaryLanguage   = "languages/primary"
	ruleMaxSilence        = "performance/max-silence"
	ruleMinPosts          = "performance/min-posts"

	familyAttestations = "attestations/<control>"
	familyActivity     = "activity/<name>"
	familyContent      = "content/<name>"
	familySources      = "sources/<name>"
	familyCustom       = "rules/<name>"
)

const (
	observed     = v1alpha1.EvidenceObserved
	attested     = v1alpha1.EvidenceAttested
	unobservable = v1alpha1.EvidenceUnobservable

	low    = v1alpha1.SeverityLow
	medium = v1alpha1.SeverityMedium
	high   = v1alpha1.SeverityHigh

	approvable = FactHandle | FactDisplayName | FactBio | FactWebsite | FactAvatar
)

var registry = []RuleDoc{
	{ruleMinPeople, "ownership", 0, observed, high, "At least as many different people as the tier demands are named, the accountable person included."},
	{ruleIncompatibleRoles, "ownership", 0, observed, high, "Nobody holds two roles on the account that exclude each other."},
	{ruleMaxAccounts, "ownership", 0, observed, high, "Nobody on the account answers for or works on more accounts of the whole fleet than allowed."},
	{ruleAllowedDomains, "ownership", 0, observed, high, "Every person and the contact mailbox have an address at an allowed domain or below one."},
	{ruleAcknowledgement, "ownership", 0, attested, medium, "Everybody on the account has read this edition, in time and recently enough. Who still has time passes until then."},
	{ruleHandle, "identity", FactHandle, observed, high, "The live handle, in lower case, matches the pattern."},
	{ruleDisplayName, "identity", FactDisplayName, observed, high, "The live name matches the pattern."},
	{ruleBio, "identity", FactBio, observed, high, "The live description contains every demanded text; white space and composition of characters make no difference."},
	{ruleWebsite, "identity", FactWebsite, observed, medium, "The live link leads to an allowed domain or below one, and where somebody has looked, the site links back. No link is a violation."},
	{ruleVerified, "identity", FactVerified, observed, medium, "The account bears the platform's badge. Where the policy only prefers it, the finding is of severity Low and mode Audit."},
	{ruleAvatar, "identity", FactAvatar, observed, high, "The live profile image resembles one of the visual identity. No image is a violation."},
	{ruleApprovedProfile, "identity", approvable, observed, high, "The live profile is as spec.handle and spec.profile declare it. The rule exists for accounts that declare spec.profile."},
	{ruleMaxAge, "credentials", 0, observed, medium, "The account's credential is younger than the limit. The rule exists for accounts that declare credentials; while nobody knows when the credential was issued, the verdict is Unknown."},
	{familyAttestations, "attestations", 0, attested, medium, "A person has attested the fact, recently enough. Without that the fact is not known."},
	{familyActivity, "activity", 0, observed, medium, "The account does nothing that the procedure denies. The first procedure that matches decides, what none matches is allowed; procedures that allow have no verdict of their own."},
	{familyContent, "content", 0, observed, medium, "Nothing that is published, replied, reposted or, where readable, liked holds a term, matches a pattern or meets the expression."},
	{familySources, "sources", 0, observed, medium, "What matches links to one of its authority's domains. A repost may also come from a governed account, which answers for its sources itself."},
	{ruleAllowedLanguages, "languages", 0, observed, medium, "Posts and replies are in the allowed languages. What cannot be told with confidence is Unknown; what says nothing in words is not judged."},
	{rulePrimaryLanguage, "languages", 0, observed, medium, "No language has more posts and replies than the one that the account declares."},
	{ruleMaxSilence, "performance", 0, observed, medium, "The last post, reply or repost is younger than the limit. What was not read is no silence."},
	{ruleMinPosts, "performance", 0, observed, medium, "There are enough posts in any 30 days, replies and reposts apart."},
	{familyCustom, "rules", 0, observed, medium, "The policy's own expression yields true. Where it asks for what is not known, the verdict is Unknown."},
}

// docs are the rules by name, families by section.
var docs, families = indexed()

func indexed() (byName, bySection map[string]*RuleDoc) {
	byName, bySection = map[string]*RuleDoc{}, map[string]*RuleDoc{}
	for i := range registry {
		doc := &registry[i]
		byName[doc.Name] = doc
		if strings.HasSuffix(doc.Name, ">") {
			bySection[doc.Section] = doc
		}
	}
	return byName, bySection
}

// docOf describes a rule of a policy; nil: there is no such rule.
func docOf(rule string) *RuleDoc {
	if doc, ok := docs[rule]; ok {
		return doc
	}
	if section, name, _ := strings.Cut(rule, "/"); name != "" {
		return families[section]
	}
	return nil
}

// Rules are all rules, in a fixed order.
func Rules() []RuleDoc { return slices.Clone(registry) }

// Acts are the actions that a rule of the registry judges: those that must be
// readable, or else the verdict is Unknown, and those that are judged too where the
// platform shows them at all. A procedure must see those that it names.
func Acts(rule string) (must, may []v1alpha1.ActivityAction) {
	r := reaches[rule]
	return r.must.list(), r.may.list()
}

// reach is what a rule about acts must and may see.
type reach struct{ must, may actionSet }

// likeWords are acts that show words, the account's own or not.
var likeWords = actionsOf([]v1alpha1.ActivityAction{v1alpha1.ActionReply, v1alpha1.ActionRepost, v1alpha1.ActionLike})

var reaches = map[string]reach{
	familyActivity:       {must: actionsOf(actions[:])},
	familyContent:        {onlyPublish, likeWords},
	familySources:        {onlyPublish, written &^ onlyPublish},
	ruleAllowedLanguages: {onlyPublish, ownWords &^ onlyPublish},
	rulePrimaryLanguage:  {onlyPublish, ownWords &^ onlyPublish},
	ruleMaxSilence:       {onlyPublish, written &^ onlyPublish},
	ruleMinPosts:         {onlyPublish, 0},
}

func (set actionSet) list() []v1alpha1.ActivityAction {
	var list []v1alpha1.ActivityAction
	for i, action := range actions {
		if set&(1<<i) != 0 {
			list = append(list, action)
		}
	}
	return list
}
