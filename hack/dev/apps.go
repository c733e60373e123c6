package main

import (
	"fmt"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

// appSecrets are the app Secrets that the samples' connections name, by name, made of
// the apps and tokens that the simulator starts with. Secrets are in no sample.
func appSecrets(fleet world.Fleet) (map[string]map[string]string, error) {
	out := map[string]map[string]string{}
	for _, app := range fleet.Apps {
		switch app.Platform {
		case world.X:
			out["x-moe-app"] = map[string]string{"appToken": app.AppToken}
		case world.YouTube:
			out["youtube-moe-app"] = map[string]string{"apiKey": app.AppToken}
		case world.Snapchat:
			out["snapchat-moe-app"] = map[string]string{
				"clientID": app.APIKey, "clientSecret": app.APISecret, "refreshToken": tokenOf(fleet, app),
			}
		case world.Facebook:
			meta := map[string]string{"clientID": app.APIKey, "clientSecret": app.APISecret, "systemUserToken": tokenOf(fleet, app)}
			out["facebook-moe-app"] = meta
			// Others' accounts are looked up by handle through one of our own.
			out["instagram-moe-app"] = with(meta, "igUserID", ours(fleet, world.Instagram))
		case world.Instagram:
			return nil, fmt.Errorf("the fleet has an app of %s, which is read by that of Facebook", app.Platform)
		}
	}
	return out, nil
}

// tokenOf is the token that an app begins with.
func tokenOf(fleet world.Fleet, app world.App) string {
	for _, t := range fleet.Tokens {
		if t.Platform == app.Platform && t.Client == app.APIKey {
			return t.Value
		}
	}
	return ""
}

// ours is the id of the first account of a platform that somebody's organisation owns.
func ours(fleet world.Fleet, platform world.Platform) string {
	for _, a := range fleet.Accounts {
		if a.Platform == platform && a.Owner != "" {
			return a.ID
		}
	}
	return ""
}

func with(m map[string]string, key, value string) map[string]string {
	out := map[string]string{key: value}
	for k, v := range m {
		out[k] = v
	}
	return out
}
