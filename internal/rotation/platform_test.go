package rotation

import (
	"fmt"
	"slices"
	"time"

	"mithaq.dev/mithaq/internal/redact"
)

// platform plays a platform that keeps its word, as far as it gives one.
type platform struct {
	traits Traits
	// wholeGrant: revoking anything ends every grant of the principal and client.
	wholeGrant bool
	// deaf: a revocation is answered with 200 and does nothing.
	deaf    bool
	account string
	grants  []*grant
	// codes are consents that wait to be spent, by code.
	codes   map[redact.Token]consent
	members map[string]string // id to address
	serial  int

	sentCodes   map[redact.Token]int
	sentRefresh map[redact.Token]int
	mutating    int
	// minted are the grants whose issue was answered or not.
	issued int
}

type consent struct{ principal, email, account string }

type grant struct {
	consent
	client          App
	access, refresh redact.Token
	expires         time.Time
	dead            bool
	at              time.Time
	// had are the tokens that it had before.
	had []redact.Token
	// older are access tokens that a refresh left alive, until before.
	older  []redact.Token
	before time.Time
}

func newPlatform(t Traits, wholeGrant bool) *platform {
	return &platform{
		traits: t, wholeGrant: wholeGrant, account: "acc-1", codes: map[redact.Token]consent{}, members: map[string]string{},
		sentCodes: map[redact.Token]int{}, sentRefresh: map[redact.Token]int{},
	}
}

func (p *platform) token(kind string) redact.Token {
	p.serial++
	return redact.Token(fmt.Sprintf("%s-%d", kind, p.serial))
}

func (p *platform) grant(c consent, client App, now time.Time) *grant {
	g := &grant{consent: c, client: client, access: p.token("access"), at: now}
	if p.traits.Lifetime > 0 {
		g.expires = now.Add(p.traits.Lifetime)
		g.refresh = p.token("refresh")
	}
	p.grants = append(p.grants, g)
	p.issued++
	return g
}

func (p *platform) of(token redact.Token) *grant {
	i := slices.IndexFunc(p.grants, func(g *grant) bool {
		return g.access == token || g.refresh == token && token != "" || slices.Contains(g.older, token)
	})
	if i < 0 {
		return nil
	}
	return p.grants[i]
}

// accepts says whether an access token works.
func (p *platform) accepts(token redact.Token, now time.Time) bool {
	g := p.of(token)
	return g != nil && !g.dead && (g.expires.IsZero() || now.Before(g.ends(token)))
}

// ends is when an access token runs out.
func (g *grant) ends(token redact.Token) time.Time {
	if token != g.access {
		return g.before
	}
	return g.expires
}

// perform plays a call; v is the stored vault.
func (p *platform) perform(call *Call, v *Vault, now time.Time) Outcome {
	if call.Kind == CallMutate {
		p.mutating++
	}
	slot := v.Slot(call.Slot)
	switch call.Kind {
	case CallIdentify, CallProbe:
		return p.look(slot.Access, now)
	case CallPeople:
		out := Outcome{Kind: Done}
		for id, email := range p.members {
			out.Members = append(out.Members, Member{ID: id, Email: email, Removable: p.traits.RemovesPeople})
		}
		return out
	}
	switch call.Op.Name {
	case OpIssue:
		return p.issue(call, now)
	case OpRefresh, OpTry:
		return p.refresh(slot.Refresh, now)
	case OpUnseat:
		delete(p.members, call.Member.ID)
		return Outcome{Kind: Done}
	case OpRevokeAccess, OpQuarantineAccess:
		return p.revoke(slot.Access)
	default:
		token := slot.Refresh
		if token == "" {
			token = slot.Access
		}
		return p.revoke(token)
	}
}

func (p *platform) look(token redact.Token, now time.Time) Outcome {
	g := p.of(token)
	switch {
	case g == nil || g.dead || token == g.refresh:
		return Outcome{Kind: Done, Liveness: Dead}
	case !p.accepts(token, now):
		return Outcome{Kind: Done, Liveness: Expired}
	}
	return Outcome{Kind: Done, Liveness: Alive, Identity: Identity{
		AccountID: g.account, Principal: g.principal, Email: g.email, Scopes: p.traits.Scopes,
	}}
}

func (p *platform) issue(call *Call, now time.Time) Outcome {
	c := consent{principal: "system", account: p.account}
	if call.Mode != ByMint {
		p.sentCodes[call.Code]++
		known, ok := p.codes[call.Code]
		if !ok {
			return Outcome{Kind: Denied}
		}
		delete(p.codes, call.Code)
		c = known
	}
	g := p.grant(c, call.Client, now)
	return Outcome{Kind: Done, Product: &Product{Access: g.access, Refresh: g.refresh, ExpiresAt: g.expires, Scopes: p.traits.Scopes}}
}

func (p *platform) refresh(token redact.Token, now time.Time) Outcome {
	p.sentRefresh[token]++
	g := p.of(token)
	if g == nil || g.dead || g.refresh != token {
		return Outcome{Kind: Denied}
	}
	g.had = append(g.had, g.access, g.refresh)
	if !p.traits.RefreshEndsAccess {
		g.older, g.before = append(g.older, g.access), g.expires
	}
	g.access, g.expires = p.token("access"), now.Add(p.traits.Lifetime)
	if p.traits.SingleUseRefresh {
		g.refresh = p.token("refresh")
	}
	return Outcome{Kind: Done, Product: &Product{Access: g.access, Refresh: g.refresh, ExpiresAt: g.expires}}
}

func (p *platform) revoke(token redact.Token) Outcome {
	g := p.of(token)
	if g == nil || g.dead && !p.wholeGrant {
		return Outcome{Kind: Denied}
	}
	if p.deaf {
		return Outcome{Kind: Done}
	}
	g.dead = true // and what it reaches ends besides, even if it was dead itself
	for _, other := range p.grants {
		if p.wholeGrant && other.principal == g.principal && other.client == g.client {
			other.dead = true
		}
	}
	return Outcome{Kind: Done}
}

// live are the grants of ours that still work.
func (p *platform) live() []*grant {
	return slices.DeleteFunc(slices.Clone(p.grants), func(g *grant) bool { return g.dead })
}
