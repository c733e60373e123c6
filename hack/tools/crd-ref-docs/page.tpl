{{- define "gvList" -}}
# API reference

Generated from `api/v1alpha1` by `make docs`.
{{ range . }}
{{ template "group" . }}
{{- end }}
{{- end -}}

{{- define "group" -}}
## {{ .GroupVersionString }}

{{ .Doc }}

Kinds:{{ range .SortedKinds }} {{ $.TypeForKind . | markdownRenderTypeLink }}{{ end }}
{{ range .SortedTypes }}{{ template "type" . }}{{ end }}
{{- end -}}
