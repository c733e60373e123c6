{{/* The namespace that the operator lives in. */}}
{{- define "mithaq.namespace" -}}
{{ .Values.namespace.name | default .Release.Namespace }}
{{- end }}

{{/* What the pods are selected by; never changes, as a Deployment's selector cannot. */}}
{{- define "mithaq.selector" -}}
app.kubernetes.io/name: mithaq
app.kubernetes.io/component: manager
{{- end }}

{{- define "mithaq.helmLabels" -}}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Labels of what belongs to the pods. */}}
{{- define "mithaq.labels" -}}
{{ include "mithaq.selector" . }}
{{ include "mithaq.helmLabels" . }}
{{- end }}

{{/*
A file that config/ holds too, as it is there, with our labels and namespace. It
is changed as text: parsed and printed again, its numbers would become floats.
*/}}
{{- define "mithaq.file" -}}
{{- $labels := printf "app.kubernetes.io/name: mithaq\n%s" (include "mithaq.helmLabels" .root) | indent 4 }}
{{- $text := .root.Files.Get .path }}
{{- if regexMatch "(?m)^  labels:$" $text }}
{{- $text = regexReplaceAllLiteral "(?m)^  labels:$" $text (printf "  labels:\n%s" $labels) }}
{{- else }}
{{- $text = regexReplaceAllLiteral "(?m)^metadata:$" $text (printf "metadata:\n  labels:\n%s" $labels) }}
{{- end }}
{{- if .keep }}
{{- $text = regexReplaceAllLiteral "(?m)^  annotations:$" $text "  annotations:\n    helm.sh/resource-policy: keep" }}
{{- end }}
{{- regexReplaceAllLiteral "(?m)^  namespace: mithaq-system$" $text (printf "  namespace: %s" (include "mithaq.namespace" .root)) }}
{{- end }}

{{- define "mithaq.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- define "mithaq.args" -}}
{{- if .Values.leaderElection.enabled }}
- --leader-elect
{{- else if gt (int .Values.replicas) 1 }}
{{- fail "leaderElection.enabled=false needs replicas=1: two acting operators would look at everything twice and contradict each other" }}
{{- end }}
- --health-probe-bind-address=:8081
- --metrics-bind-address={{ if .Values.metrics.enabled }}:{{ .Values.metrics.port }}{{ else }}0{{ end }}
{{- if gt (int .Values.shards) 1 }}
{{- if not .Values.leaderElection.enabled }}
{{- fail "shards needs leaderElection.enabled: each shard has a lease" }}
{{- end }}
- --shards={{ .Values.shards }}
{{- end }}
{{- with .Values.allowedHosts }}
- --allowed-hosts={{ join "," . }}
{{- end }}
{{- if .Values.allowInsecureEndpoints }}
- --allow-insecure-endpoints
{{- end }}
{{- with .Values.defaults.profileEvery }}
- --default-profile-every={{ . }}
{{- end }}
{{- with .Values.defaults.activityEvery }}
- --default-activity-every={{ . }}
{{- end }}
{{- with .Values.defaults.staleAfter }}
- --default-stale-after={{ . }}
{{- end }}
{{- if .Values.consent.url }}
- --consent-url={{ .Values.consent.url }}
- --consent-bind-address=:{{ .Values.consent.port }}
{{- if gt (int .Values.shards) 1 }}
- --consent-peer-bind-address=:{{ .Values.consent.peerPort }}
{{- end }}
{{- end }}
{{- with .Values.logging.level }}
- --zap-log-level={{ . }}
{{- end }}
{{- with .Values.logging.encoder }}
- --zap-encoder={{ . }}
{{- end }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}
