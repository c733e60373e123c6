package main

import (
	"flag"
	"fmt"
	"net/http"
	"time"
)

// metaFlags are those of Facebook and Instagram: limits, and what Meta's
// documents leave open (see meta.Options).
func (c *config) metaFlags(f *flag.FlagSet) {
	o := &c.meta
	f.StringVar(&c.metaListen, "meta-listen", "127.0.0.1:0", "loopback `address` of Meta's APIs and dialogs; port 0 picks a free one")
	f.Int64Var(&o.Engaged, "meta-engaged", 1, "engaged users or impressions a day of an account that names none; 4800 calls a day each")
	f.Int64Var(&o.DailyUsers, "meta-daily-users", 10, "daily users of an app that names none; 200 calls an hour each")
	f.Int64Var(&o.UserCalls, "meta-user-calls", 200, "calls per hour and human's token")
	f.DurationVar(&o.Penalty, "meta-penalty", time.Minute, "by how much a call while throttled lengthens the block")
	f.IntVar(&o.ThrottleStatus, "meta-throttle-status", http.StatusBadRequest, "HTTP status of a throttled call: 400, 403 or 429")
	f.BoolVar(&o.ErrorsWith200, "meta-errors-200", false, "answer errors with HTTP 200")
	f.BoolVar(&o.RequireProof, "meta-require-proof", false, "refuse calls without appsecret_proof")
	f.BoolVar(&o.PublicContentAccess, "meta-public-content", false, "apps have Page Public Content Access")
	f.BoolVar(&o.LoosePageToken, "meta-loose-page-token", false, "user tokens read what is documented with a page token")
	f.BoolVar(&o.NoIGWebsite, "meta-no-ig-website", false, "website is not a field of IG users")
	f.BoolVar(&o.NoIGMultiGet, "meta-no-ig-ids", false, "ids= does not work on IG users")
	f.BoolVar(&o.DebugIGTokens, "meta-debug-ig", false, "debug_token takes Instagram Login's tokens")
	f.BoolVar(&o.IGRefreshSame, "meta-ig-refresh-same", false, "a refresh returns the same Instagram token")
	f.BoolVar(&o.IGRefreshEnds, "meta-ig-refresh-ends", false, "a refresh ends the old Instagram token")
	f.BoolVar(&o.IGRevoke, "meta-ig-revoke", false, "DELETE /me/permissions works for Instagram Login")
	f.BoolVar(&o.IGTokenInData, "meta-ig-token-in-data", false, "an Instagram code's answer is in data[0]")
	f.BoolVar(&o.IGException, "meta-ig-exception", false, "Instagram Login's errors are IGApiException")
	f.BoolVar(&o.DeleteMedia, "meta-delete-media", false, "DELETE /{media} works")
	f.BoolVar(&o.DiscoveryHides, "meta-discovery-hides", false, "business discovery shows only members marked Public")
}

func (c config) checkMeta() error {
	o := c.meta
	switch {
	case min(o.Engaged, o.DailyUsers, o.UserCalls, int64(o.Penalty)) < 1:
		return fmt.Errorf("parsing flags: meta-engaged, meta-daily-users, meta-user-calls or meta-penalty is below 1")
	case o.ThrottleStatus != http.StatusBadRequest && o.ThrottleStatus != http.StatusForbidden && o.ThrottleStatus != http.StatusTooManyRequests:
		return fmt.Errorf("parsing flags: meta-throttle-status %d is not 400, 403 or 429", o.ThrottleStatus)
	}
	return nil
}
