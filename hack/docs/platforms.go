package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"mithaq.dev/mithaq/internal/budget"
	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/facebook"
	"mithaq.dev/mithaq/internal/platform/graph"
	"mithaq.dev/mithaq/internal/platform/instagram"
	"mithaq.dev/mithaq/internal/platform/snapchat"
	"mithaq.dev/mithaq/internal/platform/x"
	"mithaq.dev/mithaq/internal/platform/youtube"
)

// documented is an adapter and the keys of its app Secret.
type documented struct {
	platform.Adapter
	keys []secretKey
}

// secretKey is one key of an app Secret, and what it is for.
type secretKey struct{ name, use string }

// adapters are the platforms in the order of the page.
func adapters() []documented {
	client := []secretKey{
		{platform.KeyClientID, "the OAuth client with which accounts grant access"},
		{platform.KeyClientSecret, "its secret"},
	}
	meta := slices.Concat(client, []secretKey{
		{graph.KeySystemUserToken, "the token of the portfolio's system user, for the sweep"},
		{graph.KeyAppToken, "a ready app token; without it, it is made of the client's id and secret"},
		{graph.KeySystemUserID, "the system user whose tokens are minted; optional"},
		{graph.KeyBusinessID, "the Business portfolio by which people with access are listed; optional"},
	})
	return []documented{
		{x.Adapter(), slices.Concat([]secretKey{
			{x.KeyAppToken, "a ready app-only bearer; or"},
			{x.KeyAPIKey, "the app's key pair, from which the bearer is obtained"},
			{x.KeyAPISecret, "its other half"},
		}, client)},
		{instagram.Adapter(), slices.Concat(meta, []secretKey{
			{graph.KeyIGUserID, "one of our own accounts, through which others are looked up by handle; optional"},
			{instagram.KeyLogin, "how accounts consent: `facebook` (the default) or `instagram`"},
		})},
		{facebook.Adapter(), meta},
		{youtube.Adapter(), slices.Concat([]secretKey{
			{youtube.KeyAPIKey, "the key for public reads; required"},
		}, client, []secretKey{
			{youtube.KeyWorkspaceToken, "refresh token of a Workspace administrator who granted the client `admin.directory.user.security`: sessions, grants and app passwords of that domain's accounts can then be ended"},
		})},
		{snapchat.Adapter(), slices.Concat(client, []secretKey{
			{snapchat.KeyRefreshToken, "begins the app's own grant, which rotates and is kept in the Secret `mithaq-grants` from then on; or"},
			{snapchat.KeyAccessToken, "a ready access token, used until it is refused"},
			{snapchat.KeyOrganizations, "ids of organisations whose profiles are read page by page; optional"},
			{snapchat.KeyRevokePath, "path of the revocation, which no page of the API documents; optional"},
		})},
	}
}

// fieldNames are the profile fields, as the page calls them.
var fieldNames = []struct {
	field platform.Field
	name  string
}{
	{platform.FieldHandle, "handle"},
	{platform.FieldDisplayName, "display name"},
	{platform.FieldBio, "bio"},
	{platform.FieldWebsite, "website"},
	{platform.FieldAvatar, "avatar"},
	{platform.FieldBanner, "banner"},
	{platform.FieldVerified, "verified"},
	{platform.FieldProtected, "protected"},
	{platform.FieldFollowers, "followers"},
	{platform.FieldPosts, "number of posts"},
	{platform.FieldLastPost, "newest post"},
	{platform.FieldLocation, "location"},
}

// platforms writes what each adapter declares of itself.
func platforms(list []documented) string {
	var b strings.Builder
	b.WriteString(generated)
	b.WriteString("# Platforms\n\nWhat can be read, with which credential, at which cost, and what cannot: as the adapters declare it. What is not listed is unknown, which is never the same as empty.\n")
	overview(&b, list)
	for _, a := range list {
		fmt.Fprintf(&b, "\n## %s\n", a.Name)
		reads(&b, a.Adapter)
		budgetsOf(&b, a.Adapter)
		custodyOf(&b, a.Custody)
		grantsOf(&b, a.Adapter)
		b.WriteString("\n### What cannot be had\n\n| | why |\n|---|---|\n")
		for _, g := range a.Gaps {
			fmt.Fprintf(&b, "| %s | %s |\n", g.Subject, g.Why)
		}
		b.WriteString("\n### Keys of the app Secret\n\n| key | |\n|---|---|\n")
		for _, k := range a.keys {
			fmt.Fprintf(&b, "| `%s` | %s |\n", k.name, k.use)
		}
	}
	return b.String()
}

// overview is the matrix of platforms and fields.
func overview(b *strings.Builder, list []documented) {
	b.WriteString("\n|")
	for _, a := range list {
		fmt.Fprintf(b, " | %s", a.Name)
	}
	b.WriteString(" |\n|---" + strings.Repeat("|---", len(list)) + "|\n")
	row := func(name string, cell func(platform.Adapter) string) {
		fmt.Fprintf(b, "| %s", name)
		for _, a := range list {
			fmt.Fprintf(b, " | %s", cell(a.Adapter))
		}
		b.WriteString(" |\n")
	}
	for _, f := range fieldNames {
		row(f.name, func(a platform.Adapter) string { return mark(a.Readable.Has(f.field)) })
	}
	for _, s := range []platform.Stream{platform.StreamPosts, platform.StreamLikes, platform.StreamFollows} {
		row(string(s), func(a platform.Adapter) string {
			read, ok := a.Streams[s]
			if ok && read.OwnToken {
				return "own token"
			}
			return mark(ok)
		})
	}
	row("single posts again", func(a platform.Adapter) string { return mark(a.Rereads.Batch > 0) })
	row("accounts per request", func(a platform.Adapter) string { return fmt.Sprint(a.Profiles[platform.ByID].Batch) })
}

func mark(yes bool) string {
	if yes {
		return "yes"
	}
	return "–"
}

// reads lists every read with its cost.
func reads(b *strings.Builder, a platform.Adapter) {
	b.WriteString("\n### What can be read\n\n| what | request | credential | per request | cost |\n|---|---|---|---|---|\n")
	line := func(what string, r platform.Read) {
		fmt.Fprintf(b, "| %s | `%s` | %s | %d | %s |\n", what, r.Endpoint, r.Credential, r.Batch, cost(a, r.Charges))
	}
	for _, by := range slices.Sorted(maps.Keys(a.Profiles)) {
		line("profiles by "+string(by), a.Profiles[by])
	}
	if a.Listing.Batch > 0 {
		line("pages of profiles", a.Listing)
	}
	for _, s := range slices.Sorted(maps.Keys(a.Streams)) {
		read := a.Streams[s]
		line(fmt.Sprintf("%s: %s", s, join(read.Actions)), read.Read)
	}
	if a.Rereads.Batch > 0 {
		line("single posts again", a.Rereads)
	}
}

func cost(a platform.Adapter, charges []platform.Charge) string {
	var parts []string
	for _, c := range charges {
		known, _ := a.Budget(c.Bucket)
		unit := fmt.Sprintf("of `%s`", c.Bucket)
		if known.Kind == platform.BudgetMoney {
			const once = " (once a day)"
			text := fmt.Sprintf("$%.3f an item", float64(c.PerItem)/1e6)
			if c.Once {
				text += once
			}
			parts = append(parts, text)
			continue
		}
		if c.PerRequest > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.PerRequest, unit))
		}
		if c.PerItem > 0 {
			parts = append(parts, fmt.Sprintf("%d %s an item", c.PerItem, unit))
		}
	}
	return strings.Join(parts, ", ")
}

func budgetsOf(b *strings.Builder, a platform.Adapter) {
	b.WriteString("\n### Budgets\n\n| bucket | kind | limit | for handovers, at most |\n|---|---|---|---|\n")
	for _, one := range a.Budgets {
		fmt.Fprintf(b, "| `%s` | %s | %s | %d %% |\n", one.Bucket, one.Kind, limit(one), cmp.Or(one.Handed, budget.Handed))
	}
}

// grantsOf lists what the calls of a grant's life cost.
func grantsOf(b *strings.Builder, a platform.Adapter) {
	for _, call := range slices.Sorted(maps.Keys(a.Grants)) {
		fmt.Fprintf(b, "| %s costs | %s |\n", call, cost(a, a.Grants[call]))
	}
}

func limit(b platform.Budget) string {
	switch b.Kind {
	default:
		return fmt.Sprintf("%d per %s", b.Limit, short(b.Window))
	case platform.BudgetMoney:
		return "what the connection allows a day, which begins at midnight " + b.Zone
	case platform.BudgetDay:
		return fmt.Sprintf("%d a day, which begins at midnight %s", b.Limit, b.Zone)
	case platform.BudgetGauge:
		return "a secret amount, told as percent used; 80 at most"
	case platform.BudgetBucket:
		return fmt.Sprintf("%d per %s on average, %d at once", b.Limit, short(b.Window), b.Burst)
	}
}

func short(d time.Duration) string {
	return strings.TrimSuffix(strings.TrimSuffix(d.String(), "0s"), "0m")
}

func custodyOf(b *strings.Builder, c platform.Custody) {
	b.WriteString("\n### At a handover\n\n| | |\n|---|---|\n")
	line := func(name, value string) { fmt.Fprintf(b, "| %s | %s |\n", name, cmp.Or(value, "–")) }
	line("who consents", c.Principal)
	line("token without a person", mark(c.Mints))
	line("PKCE", mark(c.PKCE))
	line("a refresh token is spent by its use", mark(c.SingleUseRefresh))
	line("a revocation ends", reach(c.Reach))
	line("scopes", join(c.Scopes))
	lifetime := "no end"
	if c.AccessLifetime > 0 {
		lifetime = short(c.AccessLifetime)
	}
	line("an access token lives", lifetime)
	line("what a person does", join(c.HumanSteps))
}

func reach(r platform.RevokeReach) string {
	switch r {
	case platform.ReachToken:
		return "that token alone"
	case platform.ReachGrant:
		return "every token of that person and client"
	case platform.ReachNone:
		return "nothing: there is no way by API"
	default:
		return "unproven, so whatever is worst"
	}
}

func join[T ~string](words []T) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return strings.Join(out, ", ")
}
