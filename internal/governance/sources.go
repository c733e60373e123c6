package governance

import (
	"slices"
	"strings"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// shorteners hide where a link leads. What they lead to is not known unless the
// platform tells. Platforms' own: https://docs.x.com/resources/fundamentals/url (t.co);
// the others are the services that their names say.
var shorteners = []string{
	"t.co", "bit.ly", "goo.gl", "tinyurl.com", "ow.ly", "buff.ly", "is.gd", "lnkd.in", "cutt.ly", "rb.gy", "t.ly", "l.instagram.com", "l.facebook.com",
}

// uncited says whether what must cite its authority does not. A repost may also come
// from an account that is governed: that one answers for its sources itself.
func (t trial) uncited(r *textRule, found hit) hit {
	linked := t.links(r.domains)
	if linked == no && t.act.Action == v1alpha1.ActionRepost {
		linked = t.fromGoverned()
	}
	switch {
	case linked == yes:
		return hit{}
	case linked == maybe:
		return hit{maybe, "where the information comes from cannot be told: " + t.doubt(r.domains), 0}
	case found.state == maybe:
		return found
	}
	return hit{yes, found.detail + " and links to none of " + list(r.domains), found.near}
}

// links says whether the act links to one of the domains.
func (t trial) links(domains []string) truth {
	best := no
	for _, link := range t.j.links() {
		switch host := webHost(link); {
		case within(host, domains):
			return yes
		case slices.Contains(shorteners, host):
			best = maybe
		}
	}
	return best
}

func (t trial) fromGoverned() truth {
	to := t.act.Target
	switch {
	case !to.Known || to.ID == "" && to.Handle == "", t.j.in.Governed == nil:
		return maybe
	case isSelf(t.j.in.Account, to) || t.j.in.Governed(t.j.in.Account.Spec.Platform, to.ID, to.Handle):
		return yes
	}
	return no
}

func (t trial) doubt(domains []string) string {
	switch {
	case t.links(domains) == maybe:
		return "a shortened link does not show where it leads"
	case t.j.in.Governed == nil:
		return "which accounts are governed is not known"
	}
	return "the platform does not tell from whom the repost is"
}

// linksOf are the links of an act: those that the platform tells, and those that stand
// in the text.
func linksOf(act *Act) []string {
	links := act.Links
	for _, field := range strings.Fields(act.Text) {
		if i := strings.Index(field, "://"); i > 0 {
			start := max(strings.LastIndex(field[:i], "https"), strings.LastIndex(field[:i], "http"), 0)
			links = append(links[:len(links):len(links)], strings.TrimRight(field[start:], ".,;:!?)]}»\"'،؛؟"))
		}
	}
	return links
}
