// Package apps makes the app Secrets of the demonstration: of what the simulator
// starts with, by the names that config/samples gives them.
package apps

import (
	"maps"

	"mithaq.dev/mithaq/hack/platformsim/world"
)

// Secrets are the app Secrets that the samples' connections name, by name. Facebook's
// app reads Instagram as well.
func Secrets(fleet world.Fleet) map[string]map[string]string {
	out := map[string]map[string]string{}
	for _, app := range fleet.Apps {
		switch app.Platform {
		case world.X:
			name := "x-moe-app"
			if _, taken := out[name]; taken {
				name += "-b" // the second app, by which no grant ends another
			}
			out[name] = map[string]string{"appToken": app.AppToken, "clientID": app.APIKey, "clientSecret": app.APISecret}
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
			out["instagram-moe-app"] = maps.Clone(meta)
			out["instagram-moe-app"]["igUserID"] = ours(fleet, world.Instagram)
		case world.Instagram:
		}
	}
	return out
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
