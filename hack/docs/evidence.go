package main

import (
	"fmt"
	"slices"
	"strings"

	"mithaq.dev/mithaq/api/v1alpha1"
	"mithaq.dev/mithaq/internal/governance"
	"mithaq.dev/mithaq/internal/platform"
)

var names = []platform.Name{platform.X, platform.Instagram, platform.Snapchat, platform.YouTube, platform.Facebook}

// evidence says of each rule on each platform how its verdict can be known.
func evidence() string {
	var b strings.Builder
	b.WriteString(generated)
	b.WriteString(`# Evidence

How each rule can be known on each platform, from what the adapters declare. A verdict has three values: what is not known is ` + "`Unknown`" + `, says which data is missing, and is never a pass.

- **Observed**: read from the platform, or from what the account and the fleet declare.
- **Observed with a token**: read with the account's own token alone, which an account of class Personal never has: there it is Unknown.
- **Attested**: a person's word, until it lapses.
- **Unobservable**: this platform does not show it to anybody; the verdict is always Unknown.

A rule about acts is judged over the acts that are named. Replies, reposts and likes that a platform never shows do not make a rule about words unknowable; a procedure must see every action that it names.
`)
	b.WriteString("\n| rule |")
	for _, p := range names {
		fmt.Fprintf(&b, " %s |", p)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(names)) + "\n")
	for _, row := range rows() {
		fmt.Fprintf(&b, "| %s |", row.title)
		for _, p := range names {
			fmt.Fprintf(&b, " %s |", row.on(p))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// row is one line of the table.
type row struct {
	title string
	rule  governance.RuleDoc
	must  []v1alpha1.ActivityAction
	may   []v1alpha1.ActivityAction
}

// rows are the rules; procedures have one line for each action.
func rows() []row {
	var all []row
	for _, r := range governance.Rules() {
		must, may := governance.Acts(r.Name)
		title := "`" + r.Name + "`"
		if r.Section != "activity" {
			all = append(all, row{title, r, must, may})
			continue
		}
		for _, action := range must {
			all = append(all, row{title + ", " + string(action), r, []v1alpha1.ActivityAction{action}, nil})
		}
	}
	return all
}

// on says how the rule is known on a platform.
func (r row) on(name platform.Name) string {
	i := slices.IndexFunc(adapters(), func(a documented) bool { return a.Name == name })
	switch {
	case r.rule.Evidence == v1alpha1.EvidenceAttested:
		return "Attested"
	case r.rule.Needs == 0 && r.must == nil && r.rule.Section != "rules":
		return "Observed"
	case i < 0:
		return "Unobservable: no adapter yet"
	}
	a := adapters()[i].Adapter
	switch {
	case r.rule.Section == "rules":
		return custom(a)
	case r.must != nil:
		return r.acts(a)
	}
	return facts(a, r.rule.Needs)
}

// facts says whether a profile shows what a rule needs.
func facts(a platform.Adapter, needs governance.Facts) string {
	var shown, hidden []string
	for _, f := range factTexts {
		switch {
		case !needs.Has(governance.Facts(f.field)):
		case a.Readable.Has(f.field):
			shown = append(shown, f.name)
		default:
			hidden = append(hidden, f.name)
		}
	}
	switch {
	case hidden == nil:
		return "Observed"
	case shown == nil:
		return "Unobservable: not told: " + strings.Join(hidden, ", ")
	}
	return "Observed: " + strings.Join(shown, ", ") + "; not told: " + strings.Join(hidden, ", ")
}

// custom says what expressions can ask of a profile.
func custom(a platform.Adapter) string {
	var hidden []string
	for _, f := range factTexts {
		if !a.Readable.Has(f.field) {
			hidden = append(hidden, f.name)
		}
	}
	if hidden == nil {
		return "Observed"
	}
	return "Observed, apart from: " + strings.Join(hidden, ", ")
}

var factTexts = []struct {
	field platform.Field
	name  string
}{
	{platform.FieldHandle, "handle"}, {platform.FieldDisplayName, "display name"}, {platform.FieldBio, "bio"},
	{platform.FieldWebsite, "website"}, {platform.FieldAvatar, "profile image"}, {platform.FieldBanner, "banner"},
	{platform.FieldVerified, "badge"}, {platform.FieldProtected, "protection"}, {platform.FieldFollowers, "followers"},
	{platform.FieldPosts, "number of posts"}, {platform.FieldLastPost, "last post"}, {platform.FieldLocation, "location"},
}

// acts says over which actions a rule is judged.
func (r row) acts(a platform.Adapter) string {
	var shown []string
	for _, action := range append(slices.Clone(r.must), r.may...) {
		seen, ownToken := exposes(a, platform.Action(action))
		if !seen && slices.Contains(r.must, action) {
			return r.blind(a, action)
		}
		if seen && ownToken {
			shown = append(shown, string(action)+" with a token")
		} else if seen {
			shown = append(shown, string(action))
		}
	}
	if len(r.must)+len(r.may) == 1 {
		return "Observed" + strings.TrimPrefix(shown[0], string(r.must[0]))
	}
	return "Observed: " + strings.Join(shown, ", ")
}

// blind says what is left where an action is not shown that a rule must see.
func (r row) blind(a platform.Adapter, action v1alpha1.ActivityAction) string {
	if r.silence(a) {
		return "Observed: the profile tells of the last post"
	}
	return "Unobservable: " + string(action) + " is not shown"
}

// silence: the profile alone can tell it.
func (r row) silence(a platform.Adapter) bool {
	return r.rule.Name == "performance/max-silence" && a.Readable.Has(platform.FieldLastPost)
}

// exposes says whether a platform shows an action at all, and whether only with the
// account's own token.
func exposes(a platform.Adapter, action platform.Action) (seen, ownToken bool) {
	ownToken = true
	for _, s := range a.Streams {
		if slices.Contains(s.Actions, action) {
			seen, ownToken = true, ownToken && s.OwnToken
		}
	}
	return seen, ownToken
}
