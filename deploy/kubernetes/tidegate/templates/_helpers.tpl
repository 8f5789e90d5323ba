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
{{- if and (eq .name "receipts") (hasPrefix "s3://" (get (include "tidegate.env" . | fromJson) "RECEIPT_STORE" | toString)) }}true{{ end }}
{{- end }}

{{- define "tidegate.mails" -}}
{{- if and (eq .name "receipts") .root.Values.secrets.smtp }}true{{ end }}
{{- end }}

{{/* The settings of a service; those of its own win, also empty ones. */}}
{{- define "tidegate.env" -}}
{{- $env := mergeOverwrite (deepCopy .root.Values.env) (get .root.Values.services .name).env }}
{{- with .root.Values.ingress }}
{{- if and (eq $.name "receipts") .enabled (not (get $env "PUBLIC_URL")) }}
{{- $_ := set $env "PUBLIC_URL" (printf "%s://%s" (ternary "https" "http" (ne .tlsSecret "")) .apiHost) }}
{{- end }}
{{- end }}
{{- toJson $env }}
{{- end }}

{{/* Seconds that an orderly stop takes after its grace: the sum of STOP_LIMITS_MS in libs/service-host/src/shutdown.ts, rounded up. */}}
{{- define "tidegate.stopSeconds" -}}22{{- end }}

{{/* Refuses values that each may have, but not together. */}}
{{- define "tidegate.together" -}}
{{- with .Values.shutdown }}
{{- $stop := int (include "tidegate.stopSeconds" $) }}
{{- $needed := int (add .preStopSeconds .graceSeconds $stop) }}
{{- if le (int .terminationGracePeriodSeconds) $needed }}
{{- fail (printf "shutdown.terminationGracePeriodSeconds (%d) must be more than preStopSeconds + graceSeconds + %d (%d): pods would be killed in the middle of work" (int .terminationGracePeriodSeconds) $stop $needed) }}
{{- end }}
{{- end }}
{{- $cron := get (include "tidegate.env" (dict "root" . "name" "reconciliation") | fromJson) "RECONCILIATION_CRON" | toString }}
{{- if and .Values.reconciliation.cronJob.enabled (not (has $cron (list "" "off"))) }}
{{- fail "set RECONCILIATION_CRON or reconciliation.cronJob.enabled, not both: the CronJob replaces that schedule" }}
{{- end }}
{{- end }}
