// Package connection finds the PlatformConnection that an account goes through, and
// opens a connection's way to its platform.
package connection

import (
	"fmt"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// Of names the connection of an account: the one that it names, else the only one
// of its platform that is marked default. If there is none, why says so, as a
// message for people.
func Of(acc *v1alpha1.SocialAccount, connections []v1alpha1.PlatformConnection) (name, why string) {
	if ref := acc.Spec.ConnectionRef; ref != nil {
		return named(connections, string(ref.Name), acc.Spec.Platform)
	}
	return byDefault(connections, acc.Spec.Platform)
}

func named(connections []v1alpha1.PlatformConnection, name string, platform v1alpha1.PlatformName) (connection, why string) {
	for i := range connections {
		if connections[i].Name != name {
			continue
		}
		if connections[i].Spec.Platform != platform {
			return "", fmt.Sprintf("spec.connectionRef: PlatformConnection %s is of platform %s, not %s", name, connections[i].Spec.Platform, platform)
		}
		return name, ""
	}
	return "", fmt.Sprintf("spec.connectionRef: PlatformConnection %s does not exist", name)
}

func byDefault(connections []v1alpha1.PlatformConnection, platform v1alpha1.PlatformName) (connection, why string) {
	var defaults []string
	for i := range connections {
		if spec := connections[i].Spec; spec.Platform == platform && spec.Default != nil && *spec.Default {
			defaults = append(defaults, connections[i].Name)
		}
	}
	switch len(defaults) {
	case 0:
		return "", fmt.Sprintf("no PlatformConnection of platform %s is marked default", platform)
	case 1:
		return defaults[0], ""
	}
	return "", fmt.Sprintf("%d PlatformConnections of platform %s are marked default", len(defaults), platform)
}
