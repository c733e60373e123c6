{{- define "type" -}}
{{- if markdownShouldRenderType . }}
### {{ .Name }}

{{ .Doc }}
{{ if .IsAlias }}
A {{ markdownRenderType .UnderlyingType }}{{ range .Validation }}{{ template "rule" (list $.UnderlyingType.Kind .) }}{{ end }}.
{{ end }}
{{- if .References }}
Used by{{ range .SortedReferences }} {{ markdownRenderTypeLink . }}{{ end }}.
{{ end }}
{{- if .Members }}
| Field | Description |
| --- | --- |
{{- if .GVK }}
| `apiVersion` string | `{{ .GVK.Group }}/{{ .GVK.Version }}` |
| `kind` string | `{{ .GVK.Kind }}` |
{{- end }}
{{- range .Members }}
| `{{ .Name }}` {{ markdownRenderType .Type }} | {{ template "field" . }} |
{{- end }}
{{ end }}
{{- if .EnumValues }}
| Value | Meaning |
| --- | --- |
{{- range .EnumValues }}
| `{{ .Name }}` | {{ markdownRenderFieldDoc .Doc | trimSuffix "<br />" }} |
{{- end }}
{{ end }}
{{- end }}
{{- end -}}

{{- define "field" -}}
{{- if eq .Name "metadata" -}}
Standard object metadata.
{{- else -}}
{{ markdownRenderFieldDoc .Doc }}<br />
{{- if has "Required: {}" .Validation }}**Required**{{ else }}Optional{{ end }}
{{- with .Default }}, default `{{ . }}`{{ end }}
{{- range .Validation }}{{ template "rule" (list $.Type.Kind .) }}{{ end }}
{{- end -}}
{{- end -}}

{{- /* rule gets (kind, rule). Of a list (kind 5) only what bounds the list itself is
said: what bounds its items stands at their type, and crd-ref-docs 0.3.0 passes it up
to the list in some runs and not in others. */ -}}
{{- define "rule" -}}
{{- $kind := index . 0 -}}
{{- $rule := index . 1 -}}
{{- $ofList := regexMatch "^(Min|Max|Unique)Items: " $rule -}}
{{- if and (not (regexMatch "^(Required|Optional): " $rule)) (or $ofList (ne (int $kind) 5)) -}}
, {{ $rule | replace "Pattern: " "Pattern " | replace "|" "\\|" }}
{{- end -}}
{{- end -}}
