// Package api holds what the tool's test lints.
package api

// Outer has one finding of its own and one in a struct written inside it.
// +kubebuilder:object:root=true
type Outer struct {
	// on is a boolean.
	// +required
	On *bool `json:"on,omitempty"`
	// inner is written inside.
	// +optional
	Inner *struct {
		// size is a float.
		// +required
		Size *float64 `json:"size,omitempty"`
	} `json:"inner,omitempty"`
	// sounds are reached from here.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=3
	Sounds []Sound `json:"sounds,omitempty"`
}

// Sound is without findings.
type Sound struct {
	// name has its bounds.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=10
	Name string `json:"name,omitempty"`
}

// Bookkeeping belongs to no object, so nothing is asked of it.
type Bookkeeping struct {
	Seen bool
}
