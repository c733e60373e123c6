package connection

import (
	"testing"

	"k8s.io/utils/ptr"

	"mithaq.dev/mithaq/api/v1alpha1"
)

func TestTheConnectionOfAnAccount(t *testing.T) {
	connection := func(name string, p v1alpha1.PlatformName, byDefault *bool) v1alpha1.PlatformConnection {
		c := v1alpha1.PlatformConnection{}
		c.Name, c.Spec.Platform, c.Spec.Default = name, p, byDefault
		return c
	}
	yes, no := ptr.To(true), ptr.To(false)
	for _, c := range []struct {
		name, ref       string
		connections     []v1alpha1.PlatformConnection
		connection, why string
	}{
		{"the default", "", []v1alpha1.PlatformConnection{connection("x-a", "X", nil), connection("x-b", "X", yes), connection("yt", "YouTube", yes)}, "x-b", ""},
		{"no connection", "", nil, "", "no PlatformConnection of platform X is marked default"},
		{"no default", "", []v1alpha1.PlatformConnection{connection("x-a", "X", nil), connection("x-b", "X", no)}, "", "no PlatformConnection of platform X is marked default"},
		{"two defaults", "", []v1alpha1.PlatformConnection{connection("x-a", "X", yes), connection("x-b", "X", yes)}, "", "2 PlatformConnections of platform X are marked default"},
		{"named", "x-a", []v1alpha1.PlatformConnection{connection("x-a", "X", nil), connection("x-b", "X", yes)}, "x-a", ""},
		{"named and missing", "x-c", []v1alpha1.PlatformConnection{connection("x-b", "X", yes)}, "", "spec.connectionRef: PlatformConnection x-c does not exist"},
		{"named, of another platform", "yt", []v1alpha1.PlatformConnection{connection("yt", "YouTube", yes)}, "", "spec.connectionRef: PlatformConnection yt is of platform YouTube, not X"},
	} {
		t.Run(c.name, func(t *testing.T) {
			acc := &v1alpha1.SocialAccount{Spec: v1alpha1.SocialAccountSpec{Platform: v1alpha1.PlatformX}}
			if c.ref != "" {
				acc.Spec.ConnectionRef = &v1alpha1.LocalReference{Name: v1alpha1.ObjectName(c.ref)}
			}
			connection, why := Of(acc, c.connections)
			if connection != c.connection || why != c.why {
				t.Errorf("got %q, %q", connection, why)
			}
		})
	}
}
