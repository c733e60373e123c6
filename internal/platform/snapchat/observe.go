package snapchat

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"mithaq.dev/mithaq/internal/platform"
)

const (
	endpointPublic = "/public/v1/public_profiles/:id"
	endpointSearch = "/public/v1/public_profiles/search"
	opProfile      = "public_profile"
	opSearch       = "public_profiles.search"
)

var (
	errBatch         = errors.New("more accounts than one request can name")
	errLookup        = errors.New("no such lookup")
	errBadRef        = errors.New("the account's id or handle is empty or malformed")
	errLeftOut       = errors.New("the answer does not mention the account")
	errMalformed     = errors.New("what the answer says about the account is malformed")
	errContradiction = errors.New("the answer contradicts itself about the account")
	errItem          = errors.New("the answer holds a failure about the account")
)

// observer implements platform.Observer.
type observer struct {
	*sender
	// pages answer by id before a lookup is sent; nil: no organisation is known.
	pages *pages
}

// Observe looks one account up: by id with one request, or none where a page that
// was read shortly before holds it; by handle with a search in both categories, which
// can find an account and never tells that there is none.
func (o *observer) Observe(ctx context.Context, by platform.Lookup, refs []platform.AccountRef) ([]platform.Observation, error) {
	look, ok := map[platform.Lookup]func(context.Context, platform.AccountRef) (platform.Observation, error){
		platform.ByID: o.byID, platform.ByHandle: o.byHandle,
	}[by]
	switch {
	case !ok:
		return nil, invalid(opProfile, errLookup)
	case len(refs) > 1:
		return nil, invalid(opProfile, errBatch)
	case len(refs) == 0:
		return nil, nil
	}
	observation, err := look(ctx, refs[0])
	if err != nil {
		return nil, err
	}
	observation.Ref = refs[0]
	return []platform.Observation{observation}, nil
}

func (o *observer) byID(ctx context.Context, ref platform.AccountRef) (platform.Observation, error) {
	if !isID(ref.ID) {
		return unanswered(invalid(opProfile, errBadRef)), nil
	}
	if o.pages != nil {
		found, ok, err := o.pages.find(ctx, ref.ID)
		if err != nil {
			return platform.Observation{}, err
		}
		if ok {
			return platform.Observation{Outcome: platform.Found, Profile: &found}, nil
		}
	}
	answer, err := o.read(ctx, call{op: opProfile, endpoint: endpointPublic, path: pathOf(endpointPublic, ref.ID), host: o.cfg.Endpoint})
	if err != nil {
		return platform.Observation{}, err
	}
	return hear(ref.ID, answer)
}

// hear reads the answer to a lookup of one id. A request for one thing may fail as a
// whole because that thing does.
func hear(id string, answer *platform.Answer) (platform.Observation, error) {
	var body profiles
	err := decode(opProfile, answer, &body, &body.Status)
	if err != nil && (answer.Status != http.StatusOK || !is(body.Status, statusError) || len(body.Profiles) != 1) {
		return missing(err)
	}
	return single(id, body.Profiles), nil
}

// missing turns a 404 of Snapchat's own into the claim that there is no such profile.
func missing(err error) (platform.Observation, error) {
	if platform.KindOf(err) == platform.KindNotFound {
		return platform.Observation{Outcome: platform.NotFound}, nil
	}
	return platform.Observation{}, err
}

// single reads the items of an answer about one id. What is about another id says
// nothing; two that differ contradict each other.
func single(id string, items []profileItem) platform.Observation {
	var verdicts []platform.Observation
	for _, it := range items {
		switch {
		case it.Profile != nil && it.Profile.ID != "" && it.Profile.ID != id:
			continue
		case is(it.Status, statusSuccess) && it.Profile.valid():
			profile := it.Profile.profile()
			verdicts = append(verdicts, platform.Observation{Outcome: platform.Found, Profile: &profile})
		case is(it.Status, statusError, statusFailure) && missingReason(it.Reason):
			verdicts = append(verdicts, platform.Observation{Outcome: platform.NotFound})
		case is(it.Status, statusSuccess):
			return unanswered(unbelievable(opProfile, errMalformed))
		default:
			return unanswered(unbelievable(opProfile, errItem))
		}
	}
	return agreed(verdicts)
}

func agreed(verdicts []platform.Observation) platform.Observation {
	if len(verdicts) == 0 {
		return unanswered(unbelievable(opProfile, errLeftOut))
	}
	first := verdicts[0]
	for _, v := range verdicts[1:] {
		if v.Outcome != first.Outcome || first.Profile != nil && *first.Profile != *v.Profile {
			return unanswered(unbelievable(opProfile, errContradiction))
		}
	}
	return first
}

// missingReason reads the code of an item's failure. Its vocabulary is not
// documented, so only what can mean nothing else counts; every other failure is none
// of the account's.
func missingReason(reason string) bool {
	code := strings.Map(func(r rune) rune {
		if r == ' ' || r == '_' || r == '-' || r == '.' {
			return -1
		}
		return r
	}, strings.ToUpper(reason))
	for _, known := range []string{"NOTFOUND", "PROFILENOTFOUND", "PUBLICPROFILENOTFOUND", "ENTITYNOTFOUND"} {
		if code == known {
			return true
		}
	}
	return false
}

// categories are searched in turn: the search's defaults hide most profiles.
var categories = []string{"CATEGORY_BUSINESS", "CATEGORY_PERSON"}

func (o *observer) byHandle(ctx context.Context, ref platform.AccountRef) (platform.Observation, error) {
	if !isHandle(ref.Handle) {
		return unanswered(invalid(opSearch, errBadRef)), nil
	}
	for _, category := range categories {
		answer, err := o.read(ctx, call{op: opSearch, endpoint: endpointSearch, path: endpointSearch, host: o.cfg.Endpoint, paged: true, query: url.Values{
			"query": {ref.Handle}, "category": {category}, "tier": {"TIER_PUBLIC"}, "includeStandard": {"true"},
		}})
		if err != nil {
			return platform.Observation{}, err
		}
		var body profiles
		if err := decode(opSearch, answer, &body, &body.Status); err != nil {
			return platform.Observation{}, err
		}
		if named := exact(ref.Handle, body.Profiles); len(named) > 0 {
			return agreed(named), nil
		}
	}
	return unanswered(&platform.Error{Kind: platform.KindUnavailable, Op: opSearch, Status: http.StatusOK, Err: errLeftOut}), nil
}

// exact is what a search says of the profiles of that very name.
func exact(handle string, items []profileItem) []platform.Observation {
	var named []platform.Observation
	for _, it := range items {
		switch {
		case it.Profile == nil || lower(it.Profile.UserName) != lower(handle):
		case is(it.Status, statusSuccess) && it.Profile.valid():
			profile := it.Profile.profile()
			named = append(named, platform.Observation{Outcome: platform.Found, Profile: &profile})
		default:
			named = append(named, unanswered(unbelievable(opSearch, errItem)))
		}
	}
	return named
}

func unanswered(err error) platform.Observation {
	return platform.Observation{Outcome: platform.Unanswered, Err: err}
}
