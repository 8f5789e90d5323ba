{{- define "tidegate.labels" -}}
app.kubernetes.io/part-of: tidegate
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* What selects the pods of a service; never changes. Takes (dict "root" . "name" …). */}}
{{- define "tidegate.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/part-of: tidegate
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{- define "tidegate.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "tidegate.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "tidegate.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* Which services talk to Stripe. */}}
{{- define "tidegate.callsStripe" -}}
{{- if has . (list "payments" "webhooks" "reconciliation") }}true{{ end }}
{{- end }}
