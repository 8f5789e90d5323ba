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

{{/* Whether a service keeps documents in S3. Takes (dict "root" . "name" …), as the next two do. */}}
{{- define "tidegate.usesS3" -}}
{{- if and (eq .name "receipts") (hasPrefix "s3://" (get .root.Values.services.receipts.env "RECEIPT_STORE" | toString)) }}true{{ end }}
{{- end }}

{{- define "tidegate.mails" -}}
{{- if and (eq .name "receipts") .root.Values.secrets.smtp }}true{{ end }}
{{- end }}

{{/* The settings of a service; those of its own win. */}}
{{- define "tidegate.env" -}}
{{- $own := deepCopy (get .root.Values.services .name).env }}
{{- with .root.Values.ingress }}
{{- if and (eq $.name "receipts") .enabled (not (get $own "PUBLIC_URL")) }}
{{- $_ := set $own "PUBLIC_URL" (printf "%s://%s" (ternary "https" "http" (ne .tlsSecret "")) .apiHost) }}
{{- end }}
{{- end }}
{{- merge $own .root.Values.env | toJson }}
{{- end }}
