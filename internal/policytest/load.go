package policytest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	yaml "go.yaml.in/yaml/v3"

	"mithaq.dev/mithaq/api/v1alpha1"
)

// document is one YAML document of a file.
type document struct {
	file string
	node *yaml.Node
	kind string
}

// place is where the document, or a part of it, begins.
func (d *document) place(n *yaml.Node) string { return fmt.Sprintf("%s:%d", d.file, n.Line) }

// files lists the YAML files below a folder, by name.
func files(dir string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if ext := filepath.Ext(path); !entry.IsDir() && (ext == ".yaml" || ext == ".yml") {
			names = append(names, path)
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}

// read parses the documents of a file.
func read(name string) ([]*document, error) {
	content, err := os.ReadFile(filepath.Clean(name))
	if err != nil {
		return nil, err
	}
	var docs []*document
	for decoder := yaml.NewDecoder(bytes.NewReader(content)); ; {
		var node yaml.Node
		if err := decoder.Decode(&node); errors.Is(err, io.EOF) {
			return docs, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		d := &document{file: name, node: &node}
		if len(node.Content) == 1 {
			d.node = node.Content[0]
		}
		if kind := child(d.node, "kind"); kind != nil {
			d.kind = kind.Value
		}
		docs = append(docs, d)
	}
}

// child is the value of a key of a mapping, nil if there is none.
func child(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// decode reads a node into a value. An unknown field is an error.
func (d *document) decode(n *yaml.Node, into any) error {
	var value any
	if err := n.Decode(&value); err != nil {
		return fmt.Errorf("%s: %w", d.file, err)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("%s: %w", d.place(n), err)
	}
	return d.strict(n, text, into)
}

func (d *document) strict(n *yaml.Node, text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", d.place(n), err)
	}
	return nil
}

// policies reads the policies of a file.
func policies(name string) ([]*v1alpha1.GovernancePolicy, error) {
	docs, err := read(name)
	if err != nil {
		return nil, err
	}
	var found []*v1alpha1.GovernancePolicy
	for _, d := range docs {
		if d.kind != "GovernancePolicy" {
			continue
		}
		policy := &v1alpha1.GovernancePolicy{}
		if err := d.decode(d.node, policy); err != nil {
			return nil, err
		}
		found = append(found, policy)
	}
	return found, nil
}

// merge lays over on top of under, field by field; a list replaces a list, and null
// removes a field.
func merge(under, over any) any {
	below, ok := under.(map[string]any)
	above, both := over.(map[string]any)
	if !ok || !both {
		return over
	}
	merged := map[string]any{}
	for key, value := range below {
		merged[key] = value
	}
	for key, value := range above {
		if value == nil {
			delete(merged, key)
			continue
		}
		merged[key] = merge(merged[key], value)
	}
	return merged
}

// mergeJSON merges two JSON texts, of which the first may be empty.
func mergeJSON(under, over json.RawMessage) (json.RawMessage, error) {
	var a, b any
	if len(under) > 0 {
		if err := json.Unmarshal(under, &a); err != nil {
			return nil, err
		}
	}
	if err := json.Unmarshal(over, &b); err != nil {
		return nil, err
	}
	return json.Marshal(merge(a, b))
}
