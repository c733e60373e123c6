package settings

import "testing"

func TestProfilesAreServedWhereAskedForAlone(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, ""}, {[]string{"--pprof-bind-address=127.0.0.1:6060"}, "127.0.0.1:6060"},
	} {
		o, err := Parse(append([]string{"--operator-namespace=mithaq-system"}, c.args...))
		if err != nil || o.PprofAddress != c.want {
			t.Errorf("%q: got %q, %v", c.args, o.PprofAddress, err)
		}
	}
}
