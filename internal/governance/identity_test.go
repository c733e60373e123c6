package governance

import (
	"strings"
	"testing"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func identity(change func(*v1alpha1.IdentityRules)) spec {
	id := &v1alpha1.IdentityRules{}
	change(id)
	return spec{Identity: id}
}

func unread(fact Facts) func(*Live) { return func(l *Live) { l.Readable &^= fact } }

func TestHandlePattern(t *testing.T) {
	rules := identity(func(id *v1alpha1.IdentityRules) { id.HandlePattern = `^(moe|edu)_[a-z0-9_]+$` })
	const r, prefix, suffix = ruleHandle, "the handle ", " does not match the pattern ^(moe|edu)_[a-z0-9_]+$"
	handle := func(h string) func(*Live) { return func(l *Live) { l.Profile.Handle = h } }
	runScenes(t, []scene{
		{name: "matches in lower case", rule: r, policy: rules, live: handle("EDU_Riyadh"), want: Pass},
		{name: "does not match", rule: r, policy: rules, live: handle("Riyadh_edu"), want: Violated, message: prefix + `"Riyadh_edu"` + suffix},
		{name: "shows none", rule: r, policy: rules, live: handle(""), want: Violated, message: prefix + `""` + suffix},
		{name: "is not read", rule: r, policy: rules, live: unread(FactHandle), want: Unknown, message: "the platform does not tell the handle"},
		{name: "suspended", rule: r, policy: rules, noLive: true, missing: "the account is suspended", want: Unknown, message: "cannot be judged: the account is suspended"},
		{name: "not seen, nobody says why", rule: r, policy: rules, noLive: true, want: Unknown, message: "cannot be judged: the account has not been observed"},
		{name: "observation without a profile", rule: r, policy: rules, live: func(l *Live) { l.Profile = nil }, want: Unknown, message: "cannot be judged: the account has not been observed"},
		{
			name: "unanchored as written", rule: r, want: Pass, live: handle("the_moe_x"),
			policy: identity(func(id *v1alpha1.IdentityRules) { id.HandlePattern = `moe` }),
		},
		{name: "no pattern, no rule", rule: r, policy: identity(func(*v1alpha1.IdentityRules) {})},
	})
}

func TestDisplayNamePattern(t *testing.T) {
	rules := identity(func(id *v1alpha1.IdentityRules) { id.DisplayNamePattern = `^إدارة ` })
	const r, suffix = ruleDisplayName, " does not match the pattern ^إدارة"
	name := func(n string) func(*Live) { return func(l *Live) { l.Profile.DisplayName = n } }
	long := strings.Repeat("ن", 200)
	runScenes(t, []scene{
		{name: "matches", rule: r, policy: rules, want: Pass},
		{name: "does not", rule: r, policy: rules, live: name("free  \ncrypto"), want: Violated, message: `the display name "free crypto"` + suffix},
		{name: "case counts", rule: r, policy: identity(func(id *v1alpha1.IdentityRules) { id.DisplayNamePattern = "^MOE" }), live: name("moe"), want: Violated, message: `the display name "moe" does not match the pattern ^MOE`},
		{name: "quoted up to a cap", rule: r, policy: rules, live: name(long), want: Violated, message: `the display name "` + strings.Repeat("ن", 79) + `…"` + suffix},
		{
			name: "a person's name is not repeated", rule: r, policy: rules, live: name("Ali"), want: Violated,
			account: func(a *account) { a.Spec.Class = v1alpha1.ClassPersonal }, message: "the display name" + suffix,
		},
		{name: "is not read", rule: r, policy: rules, live: unread(FactDisplayName), want: Unknown, message: "the platform does not tell the display name"},
	})
}

func TestBioMustContain(t *testing.T) {
	rules := identity(func(id *v1alpha1.IdentityRules) {
		id.BioMustContain = []string{"الحساب  الرسمي", "cafe\u0301"}
	})
	const r = ruleBio
	bio := func(b string) func(*Live) { return func(l *Live) { l.Profile.Bio = b } }
	runScenes(t, []scene{
		{name: "all, in other white space and composition", rule: r, policy: rules, live: bio("caf\u00e9 –\nالحساب\n\u00a0الرسمي!"), want: Pass},
		{name: "one missing", rule: r, policy: rules, live: bio("الحساب الرسمي"), want: Violated, message: "the bio does not contain \"caf\u00e9\""},
		{name: "case counts", rule: r, policy: rules, live: bio("الحساب الرسمي CAFE\u0301"), want: Violated, message: "the bio does not contain \"caf\u00e9\""},
		{name: "no bio", rule: r, policy: rules, live: bio(""), want: Violated, message: "the bio does not contain \"الحساب الرسمي\", \"caf\u00e9\""},
		{name: "is not read", rule: r, policy: rules, live: unread(FactBio), want: Unknown, message: "the platform does not tell the bio"},
	})
}

func TestWebsiteDomains(t *testing.T) {
	rules := identity(func(id *v1alpha1.IdentityRules) {
		id.WebsiteDomains = []v1alpha1.DomainName{"spa.example", "edu.example"}
	})
	const r, at = ruleWebsite, "at edu.example, spa.example or below"
	site := func(w string) func(*Live) { return func(l *Live) { l.Profile.Website = w } }
	leads := func(name, website, host string) scene {
		return scene{
			name: name, rule: r, policy: rules, live: site(website), want: Violated, severity: medSev,
			message: `the website leads to "` + host + `", which is not ` + at,
		}
	}
	good := func(name, website string) scene {
		return scene{name: name, rule: r, policy: rules, live: site(website), want: Pass}
	}
	none := func(name, website string) scene {
		return scene{
			name: name, rule: r, policy: rules, live: site(website), want: Violated, severity: medSev,
			message: `the website "` + website + `" is no web address ` + at,
		}
	}
	runScenes(t, []scene{
		good("the domain", "https://edu.example"), good("a subdomain, port and path", "http://WWW.Edu.Example:8443/a?b#c"),
		good("without a scheme", "spa.example/news"), good("with the root's dot", "https://edu.example./"),
		good("in letters that browsers take for the domain's", "https://ＥＤＵ.example/"),
		leads("another domain", "https://bit.test/x", "bit.test"),
		leads("same ending", "https://notedu.example/", "notedu.example"),
		leads("domain in the path", "https://evil.test/edu.example", "evil.test"),
		leads("domain as user", "https://edu.example@evil.test/", "evil.test"),
		leads("look-alike", "https://еdu.example/", "xn--du-mlc.example"),
		none("another scheme", "ftp://edu.example/"), none("no host", "https:///edu.example"),
		none("backslash", `https://evil.test\@edu.example`),
		{name: "shows none", rule: r, policy: rules, live: site(""), want: Violated, severity: medSev, message: "the account shows no website; it must show one " + at},
		{name: "is not read", rule: r, policy: rules, live: unread(FactWebsite), want: Unknown, severity: medSev, message: "the platform does not tell the website"},
	})
}

func TestVerified(t *testing.T) {
	rule := func(v v1alpha1.VerifiedRule) spec {
		return identity(func(id *v1alpha1.IdentityRules) { id.Verified = v })
	}
	required, preferred := rule(v1alpha1.VerifiedRequired), rule(v1alpha1.VerifiedPreferred)
	badge := func(v *bool) func(*Live) { return func(l *Live) { l.Profile.Verified = v } }
	const r, no, silent = ruleVerified, "the account does not bear the platform's badge", "the platform does not tell whether the account bears the badge"
	const lowSev, audit = v1alpha1.SeverityLow, v1alpha1.FindingAudit
	runScenes(t, []scene{
		{name: "required and there", rule: r, policy: required, want: Pass},
		{name: "required and not there", rule: r, policy: required, live: badge(ptr(false)), want: Violated, severity: medSev, message: no},
		{name: "required and not told", rule: r, policy: required, live: badge(nil), want: Unknown, severity: medSev, message: silent},
		{name: "required and not readable", rule: r, policy: required, live: unread(FactVerified), want: Unknown, severity: medSev, message: silent},
		{name: "preferred and there", rule: r, policy: preferred, want: Pass},
		{name: "preferred and not there", rule: r, policy: preferred, live: badge(ptr(false)), want: Violated, severity: lowSev, mode: audit, message: no},
		{name: "preferred and not told", rule: r, policy: preferred, live: badge(nil), want: Unknown, severity: lowSev, mode: audit, message: silent},
		{name: "ignored", rule: r, policy: rule(v1alpha1.VerifiedIgnored), live: badge(ptr(false))},
		{name: "not mentioned", rule: r, policy: rule(""), live: badge(ptr(false))},
	})
}

func TestAvatar(t *testing.T) {
	emblem := v1alpha1.AvatarRule{Name: "emblem", PerceptualHash: moeHash}
	day := v1alpha1.AvatarRule{Name: "national-day", PerceptualHash: "00FF00FF00FF0000", MaxDistance: ptr(int32(0))}
	rules := identity(func(id *v1alpha1.IdentityRules) { id.Avatars = []v1alpha1.AvatarRule{emblem, day} })
	hash := func(h v1alpha1.HexPerceptualHash) func(*Live) {
		return func(l *Live) { l.Profile.AvatarPerceptualHash = h }
	}
	const r = ruleAvatar
	runScenes(t, []scene{
		{name: "the image", rule: r, policy: rules, want: Pass},
		{name: "six bits away, by default", rule: r, policy: rules, live: hash("3FFF00FF00FF00FF"), want: Pass},
		{
			name: "seven bits away", rule: r, policy: rules, live: hash("7fff00ff00ff00ff"), want: Violated,
			message: "the profile image is not one of the visual identity: it differs from the nearest, emblem, in 7 of 64 bits; at most 6 may differ",
		},
		{name: "second image", rule: r, policy: rules, live: hash("00ff00ff00ff0000"), want: Pass},
		{
			name: "own distance of the second image", rule: r, policy: rules, live: hash("00ff00ff00ff0300"), want: Violated,
			message: "the profile image is not one of the visual identity: it differs from the nearest, national-day, in 2 of 64 bits; at most 0 may differ",
		},
		{
			name: "the first by name of two as near", rule: r, live: hash("7fff00ff00ff00ff"), want: Violated,
			policy: identity(func(id *v1alpha1.IdentityRules) {
				id.Avatars = []v1alpha1.AvatarRule{{Name: "b", PerceptualHash: moeHash}, {Name: "a", PerceptualHash: moeHash}, {Name: "c", PerceptualHash: moeHash}}
			}),
			message: "the profile image is not one of the visual identity: it differs from the nearest, a, in 7 of 64 bits; at most 6 may differ",
		},
		{name: "no hash", rule: r, policy: rules, live: hash(""), want: Unknown, message: "the profile image has not been compared"},
		{name: "hash that is none", rule: r, policy: rules, live: hash("00ff"), want: Unknown, message: "the profile image has not been compared"},
		{name: "no image", rule: r, policy: rules, live: func(l *Live) { l.Profile.AvatarURL = "" }, want: Violated, message: "the account shows no profile image"},
		{name: "is not read", rule: r, policy: rules, live: unread(FactAvatar), want: Unknown, message: "the platform does not tell the profile image"},
	})
}

func approved(p v1alpha1.ApprovedProfile) func(*account) {
	return func(a *account) { a.Spec.Profile = &p }
}

func TestApprovedProfile(t *testing.T) {
	rules := identity(func(*v1alpha1.IdentityRules) {})
	asIs := approved(v1alpha1.ApprovedProfile{
		DisplayName: "إدارة تعليم الرياض", Bio: "الحساب الرسمي لإدارة التعليم", Website: "https://EDU.example/riyadh/",
		Avatar: &v1alpha1.ApprovedAvatar{PerceptualHash: moeHash},
	})
	const r, differs, missing = ruleApprovedProfile, "the live profile differs from the approved one in: ", "not everything that is approved could be compared; missing: "
	runScenes(t, []scene{
		{name: "as approved", rule: r, policy: rules, account: asIs, want: Pass},
		{name: "nothing approved, no rule", rule: r, policy: rules},
		{name: "policy says nothing about identity, no rule", rule: r, policy: spec{}, account: asIs},
		{
			name: "defaced", rule: r, policy: rules, account: asIs, want: Violated, message: differs + "displayName, website",
			live: func(l *Live) { l.Profile.DisplayName, l.Profile.Website = "CRYPTO", "" },
		},
		{
			name: "differs in one field, another is not read", rule: r, policy: rules, account: asIs, want: Violated, message: differs + "bio",
			live: func(l *Live) { l.Profile.Bio = "x"; l.Readable &^= FactWebsite },
		},
		{name: "bio and image are not read", rule: r, policy: rules, account: asIs, live: unread(FactBio | FactAvatar), want: Unknown, message: missing + "bio, avatar"},
		{
			name: "image has no hash", rule: r, policy: rules, account: asIs, want: Unknown, message: missing + "avatar",
			live: func(l *Live) { l.Profile.AvatarPerceptualHash = "" },
		},
		{
			name: "what is not approved need not be read", rule: r, policy: rules, want: Pass, live: unread(FactWebsite | FactAvatar | FactDisplayName),
			account: approved(v1alpha1.ApprovedProfile{Bio: "الحساب الرسمي لإدارة التعليم"}),
		},
		{name: "account not found", rule: r, policy: rules, account: asIs, noLive: true, missing: "the account does not exist", want: Unknown, message: "cannot be judged: the account does not exist"},
	})
}
