package faults

import "mithaq.dev/mithaq/controllers/handover"

// mistake is a bug that somebody might write.
type mistake struct {
	name string
	wire func(*play, *handover.Config)
}
