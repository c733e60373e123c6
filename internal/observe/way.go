package observe

import "mithaq.dev/mithaq/internal/platform"

// way is how a target is looked at: by its id where that is known, unless the
// platform reads profiles in the other way only.
func (c *conn) way(t *target) platform.Lookup {
	by := platform.ByHandle
	if t.id != "" {
		by = platform.ByID
	}
	if c.reads(by) || !c.reads(other(by)) {
		return by
	}
	if by == platform.ByHandle && t.id == "" {
		return by // nobody can tell whose id it is
	}
	return other(by)
}

func other(by platform.Lookup) platform.Lookup {
	if by == platform.ByID {
		return platform.ByHandle
	}
	return platform.ByID
}

// reads says that the platform can be asked in a way.
func (c *conn) reads(by platform.Lookup) bool {
	_, ok := c.Adapter.Profiles[by]
	return ok
}
