package e2e

import "encoding/json"

// show is a value as people read it.
func show(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}
