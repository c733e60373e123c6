package custody

import (
	"context"
	"errors"
	"slices"
	"time"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/rotation"
)

// Traits is what an app's platform really allows. What a capability is missing for
// cannot be done, whatever the platform could.
func Traits(app App) rotation.Traits {
	c, has := app.Custody(), app.Client
	return rotation.Traits{
		Mints:             c.Mints && has.Issue != nil,
		PersonPrincipal:   c.Principal == "person",
		SingleUseRefresh:  c.SingleUseRefresh,
		RefreshGrace:      c.RefreshGrace,
		RefreshEndsAccess: c.RefreshEndsAccess,
		RevokesToken:      c.Reach == platform.ReachToken,
		RevokesGrant:      c.Reach == platform.ReachGrant,
		NoRevoke:          c.Reach == platform.ReachNone || has.Revoke == nil,
		Introspects:       has.Introspect != nil && c.Introspects,
		ListsPeople:       has.People != nil,
		RemovesPeople:     has.Unseat != nil,
		Scopes:            c.Scopes,
		HumanSteps:        c.HumanSteps,
		UnseatDoes:        c.UnseatDoes,
		RenewsAccess:      c.RenewsAccess,
		Lifetime:          c.AccessLifetime,
	}
}

// Job is one call and what it is about.
type Job struct {
	App   App
	Call  *rotation.Call
	Vault *rotation.Vault
	Ref   platform.AccountRef
	// RedirectURI is the one that the consent was given for.
	RedirectURI string
	Now         time.Time
}

// Perform makes one call, once, within rotation.Budget. It never retries.
func Perform(ctx context.Context, j Job) rotation.Outcome {
	bounded, cancel := context.WithTimeout(ctx, rotation.Budget)
	defer cancel()
	switch j.Call.Kind {
	case rotation.CallIdentify:
		return j.identify(bounded)
	case rotation.CallProbe:
		return j.probe(bounded)
	case rotation.CallPeople:
		return j.people(bounded)
	default:
		return j.mutate(bounded)
	}
}

func (j Job) slot() *rotation.Slot { return j.Vault.Slot(j.Call.Slot) }

func (j Job) identify(ctx context.Context) rotation.Outcome {
	if j.App.Client.Identify == nil {
		return rotation.Outcome{Kind: rotation.Misconfigured}
	}
	id, err := j.App.Client.Identify.Identify(ctx, j.slot().Access, j.Ref)
	if err != nil {
		return outcome(err)
	}
	return rotation.Outcome{Kind: rotation.Done, Liveness: rotation.Alive, Identity: rotation.Identity{
		AccountID: id.AccountID, Principal: id.Principal, Email: id.Email, Scopes: id.Scopes,
	}}
}

// probe tries a token. The credential in use is tried by asking whom it acts for,
// one that is to be dead by introspection.
func (j Job) probe(ctx context.Context) rotation.Outcome {
	asks := j.App.Client.Introspect != nil
	if j.Call.Slot == rotation.SlotCurrent && j.App.Client.Identify != nil {
		o := j.identify(ctx)
		if o.Kind != rotation.Denied {
			return o
		}
		if !j.App.Custody().Introspects || !asks {
			return rotation.Outcome{Kind: rotation.Done, Liveness: j.refused()}
		}
	}
	if !asks {
		return rotation.Outcome{Kind: rotation.Done, Liveness: rotation.Unclear}
	}
	return j.introspect(ctx)
}

func (j Job) introspect(ctx context.Context) rotation.Outcome {
	in, err := j.App.Client.Introspect.Introspect(ctx, j.slot().Access)
	if err != nil {
		return outcome(err)
	}
	o := rotation.Outcome{Kind: rotation.Done, Liveness: rotation.Liveness(in.State)}
	o.Identity.Principal, o.Identity.Scopes = in.Principal, in.Scopes
	// Where the platform does not say why it refuses, the token's end does; of a token
	// without a known end nothing is known.
	switch in.State {
	case platform.TokenDead:
		if !j.App.Custody().Introspects {
			o.Liveness = j.refused()
		}
	case platform.TokenUnclear:
		if !j.slot().ExpiresAt.IsZero() {
			o.Liveness = j.refused()
		}
	case platform.TokenAlive, platform.TokenExpired:
	}
	return o
}

// refused tells a dead token from one whose time had run out anyway.
func (j Job) refused() rotation.Liveness {
	if ends := j.slot().ExpiresAt; !ends.IsZero() && !j.Now.Before(ends) {
		return rotation.Expired
	}
	return rotation.Dead
}

func (j Job) people(ctx context.Context) rotation.Outcome {
	members, err := j.App.Client.People.People(ctx, j.slot().Access, j.Ref)
	if err != nil {
		return outcome(err)
	}
	o := rotation.Outcome{Kind: rotation.Done}
	for _, m := range members {
		o.Members = append(o.Members, rotation.Member{ID: m.ID, Email: m.Email, Removable: m.Removable})
	}
	return o
}

// mutate makes one of the calls that change something.
func (j Job) mutate(ctx context.Context) rotation.Outcome {
	switch j.Call.Op.Name {
	case rotation.OpIssue:
		return j.issue(ctx)
	case rotation.OpRefresh, rotation.OpTry:
		if j.App.Client.Issue == nil {
			return rotation.Outcome{Kind: rotation.Misconfigured}
		}
		return product(j.App.Client.Issue.Refresh(ctx, grant(j.slot())))
	case rotation.OpUnseat:
		return j.unseat(ctx)
	case rotation.OpRevokeAccess, rotation.OpQuarantineAccess:
		return outcome(j.App.Client.Revoke.Revoke(ctx, grant(j.slot()), platform.RevokeAccess))
	default:
		return outcome(j.App.Client.Revoke.Revoke(ctx, grant(j.slot()), platform.RevokeGrant))
	}
}

// unseat removes somebody as the list shows them now: by what kind of access, if any
// is left. Where the platform lists nobody, the subject is an address.
func (j Job) unseat(ctx context.Context) rotation.Outcome {
	if j.App.Client.Unseat == nil {
		return rotation.Outcome{Kind: rotation.Misconfigured}
	}
	subject := j.Call.Op.Subject
	member := platform.Member{ID: subject, Email: subject, Kind: platform.MemberPerson, Removable: true}
	if j.App.Client.People != nil {
		members, err := j.App.Client.People.People(ctx, j.slot().Access, j.Ref)
		if err != nil {
			return outcome(err)
		}
		i := slices.IndexFunc(members, func(m platform.Member) bool { return m.ID == subject })
		if i < 0 {
			return rotation.Outcome{Kind: rotation.Done}
		}
		member = members[i]
	}
	return outcome(j.App.Client.Unseat.Unseat(ctx, j.slot().Access, j.Ref, member))
}

func (j Job) issue(ctx context.Context) rotation.Outcome {
	if j.App.Client.Issue == nil {
		return rotation.Outcome{Kind: rotation.Misconfigured}
	}
	if j.Call.Mode == rotation.ByMint {
		return product(j.App.Client.Issue.Mint(ctx, j.Ref))
	}
	return product(j.App.Client.Issue.Exchange(ctx, platform.ExchangeRequest{
		Code: j.Call.Code, Verifier: j.Call.Verifier, RedirectURI: j.RedirectURI,
	}))
}

func grant(s *rotation.Slot) platform.Grant {
	return platform.Grant{Access: s.Access, Refresh: s.Refresh, ExpiresAt: s.ExpiresAt, Scopes: s.Scopes}
}

func product(g platform.Grant, err error) rotation.Outcome {
	o := outcome(err)
	if err == nil {
		o.Product = &rotation.Product{Access: g.Access, Refresh: g.Refresh, ExpiresAt: g.ExpiresAt, Scopes: g.Scopes}
	}
	return o
}

// outcome classes an adapter's error.
func outcome(err error) rotation.Outcome {
	if err == nil {
		return rotation.Outcome{Kind: rotation.Done}
	}
	o := rotation.Outcome{Kind: rotation.Unavailable}
	if pe, ok := errors.AsType[*platform.Error](err); ok {
		o.RetryAfter = pe.RetryAfter
	}
	switch platform.KindOf(err) {
	case platform.KindUnauthorized, platform.KindNotFound:
		o.Kind = rotation.Denied
	case platform.KindInvalid:
		o.Kind = rotation.Misconfigured
	case platform.KindAmbiguous:
		o.Kind = rotation.Ambiguous
	case platform.KindRateLimited:
		o.Limited = true
	case platform.KindUnavailable, platform.KindBudgetExhausted:
	}
	return o
}
