package local

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// sourceFile remembers, while objects are in memory, which file they came from.
const sourceFile = "dev.mithaq.dev/file"

// Late says that an object comes from a file named 90-…: it is to be younger.
func Late(o *unstructured.Unstructured) bool {
	file := o.GetAnnotations()[sourceFile]
	return strings.HasPrefix(file, "90-")
}

// Nested is a string of an object; empty if it is not there.
func Nested(o *unstructured.Unstructured, path ...string) string {
	value, _, err := unstructured.NestedString(o.Object, path...)
	if err != nil {
		return ""
	}
	return value
}

// Read decodes all objects of a folder, file by file and in the order of their
// names; a kustomization.yaml is none of them.
func Read(dir string) ([]*unstructured.Unstructured, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var out []*unstructured.Unstructured
	for _, file := range files {
		if filepath.Base(file) == "kustomization.yaml" {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		docs := utilyaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(raw)))
		objects, err := decode(docs, filepath.Base(file))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out = append(out, objects...)
	}
	return out, nil
}

func decode(docs io.ReadCloser, file string) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	buffer := make([]byte, 1<<20)
	for {
		n, err := docs.Read(buffer)
		if errors.Is(err, io.EOF) {
			return out, docs.Close()
		}
		if err != nil {
			return nil, errors.Join(err, docs.Close())
		}
		object := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict(buffer[:n], &object.Object); err != nil {
			return nil, errors.Join(err, docs.Close())
		}
		if len(object.Object) == 0 {
			continue
		}
		annotations := object.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[sourceFile] = file
		object.SetAnnotations(annotations)
		out = append(out, object)
	}
}
