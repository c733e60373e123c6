package x

import (
	"time"

	"mithaq.dev/mithaq/internal/platform"
)

// Prices of one resource in millionths of a US dollar, pay per use (x.md, section 7).
const (
	priceUser   = 10_000
	pricePost   = 5_000
	priceFollow = 10_000
	priceLike   = 1_000
)

// Buckets of requests, one per endpoint, and the money.
const (
	bucketTimeline  = "users/tweets"
	bucketFollowing = "users/following"
	bucketLikes     = "users/liked_tweets"
	bucketPosts     = "tweets"
	bucketMoney     = "money"
	bucketGrants    = "grants"
)

// grantsPace is our own: X publishes no limit of its OAuth endpoints. Per second.
const grantsPace = 20

const (
	credentialApp = "app bearer"
	credentialOwn = "the account's own token"
)

// budgets are the published limits per app and window, and the money. For looking
// posts up again X publishes no figure that the contract could find: it is taken to
// be that of the other lookups by id until the headers tell.
func budgets() []platform.Budget {
	out := []platform.Budget{}
	for _, b := range []struct {
		bucket string
		limit  int
	}{
		{lookups[platform.ByID].bucket, requests},
		{lookups[platform.ByHandle].bucket, requests},
		{bucketTimeline, 10_000},
		{bucketFollowing, requests},
		{bucketLikes, 75},
		{bucketPosts, requests},
	} {
		out = append(out, platform.Budget{Bucket: b.bucket, Kind: platform.BudgetWindow, Limit: b.limit, Window: window})
	}
	return append(out,
		platform.Budget{Bucket: bucketMoney, Kind: platform.BudgetMoney, Zone: "UTC"},
		platform.Budget{Bucket: bucketGrants, Kind: platform.BudgetBucket, Limit: grantsPace, Window: time.Second, Burst: grantsPace, Handed: 100},
	)
}

// grantCosts: users/me is counted per account (75 in a window, x.md, section 7) and paid
// for like any other look at that account on that day.
func grantCosts() map[platform.GrantCall][]platform.Charge {
	oauth := []platform.Charge{{Bucket: bucketGrants, PerRequest: 1}}
	me := []platform.Charge{{Bucket: bucketMoney, PerItem: priceUser, Once: true}}
	return map[platform.GrantCall][]platform.Charge{
		platform.CallExchange: oauth, platform.CallRefresh: oauth, platform.CallRevoke: oauth,
		platform.CallIdentify: me, platform.CallIntrospect: me,
	}
}

// charges are one request of a bucket, and the price of each item.
func charges(bucket string, price int, once bool) []platform.Charge {
	return []platform.Charge{
		{Bucket: bucket, PerRequest: 1},
		{Bucket: bucketMoney, PerItem: price, Once: once},
	}
}

func profiles() map[platform.Lookup]platform.Read {
	reads := make(map[platform.Lookup]platform.Read, len(lookups))
	for by, l := range lookups {
		reads[by] = platform.Read{
			Batch: batch, Charges: charges(l.bucket, priceUser, true),
			Credential: credentialApp, Endpoint: "GET " + l.endpoint,
		}
	}
	return reads
}

// streamReads are the lists of activity (x.md, section 4).
func streamReads() map[platform.Stream]platform.StreamRead {
	return map[platform.Stream]platform.StreamRead{
		platform.StreamPosts: {
			Read: platform.Read{
				Batch: 1, Charges: charges(bucketTimeline, pricePost, true),
				Credential: credentialApp, Endpoint: "GET " + endpointTimeline,
			},
			Actions: []platform.Action{platform.Publish, platform.Reply, platform.Repost},
			Counter: platform.FieldLastPost, Ordered: true,
		},
		platform.StreamFollows: {
			Read: platform.Read{
				Batch: 1, Charges: charges(bucketFollowing, priceFollow, true),
				Credential: credentialApp, Endpoint: "GET " + endpointFollowing,
			},
			Actions: []platform.Action{platform.Follow},
		},
		platform.StreamLikes: {
			Read: platform.Read{
				Batch: 1, Charges: charges(bucketLikes, priceLike, true),
				Credential: credentialOwn, Endpoint: "GET " + endpointLikes,
			},
			Actions: []platform.Action{platform.Like}, OwnToken: true, Ordered: true,
		},
	}
}

// gaps are what X does not expose.
func gaps() []platform.Gap {
	return []platform.Gap{
		{Subject: "people with access", Why: "delegates and their roles are in no endpoint; a person looks into the settings"},
		{Subject: "removing people", Why: "no endpoint ends a delegation, a session or another app's access"},
		{Subject: "whom a repost is from", Why: "told by expansions alone, each of which is a post and an account that are paid for"},
		{Subject: "when something was liked or followed", Why: "the lists have no times"},
		{Subject: "deleted and deactivated told apart", Why: "only batch compliance tells them apart"},
		{Subject: "when the newest post was made", Why: "the profile has the post's id alone"},
		{Subject: "likes made, without a grant", Why: "readable with the account's own token alone"},
		{Subject: "token introspection", Why: "no endpoint; users/me is a probe, and a refusal does not say why"},
	}
}
