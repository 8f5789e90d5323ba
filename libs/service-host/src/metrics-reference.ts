import type { MetricInfo } from '@tidegate/telemetry/metrics';

export interface ServiceMetrics {
  service: string;
  metrics: readonly MetricInfo[];
}

/** Longer lists of label values are counted instead. */
const MOST_VALUES = 12;

/** The list of metrics as Markdown: each name once, with the services that export it and the label values that exist from start-up. */
export function metricsReference(all: readonly ServiceMetrics[]): string {
  const rows = new Map<string, MetricInfo & { services: string[] }>();
  for (const { service, metrics } of all) {
    for (const metric of metrics) {
      const row = rows.get(metric.name) ?? { ...metric, labels: {}, services: [] };
      if (row.type !== metric.type || row.help !== metric.help)
        throw new Error(
          `Bug: ${metric.name} is two things: "${row.help}" in ${row.services.join(', ')} and "${metric.help}" in ${service}`,
        );
      for (const [label, values] of Object.entries(metric.labels))
        row.labels[label] = [...new Set([...(row.labels[label] ?? []), ...values])].sort();
      row.services.push(service);
      rows.set(metric.name, row);
    }
  }
  const lines = [...rows.values()]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(
      ({ name, type, labels, services, help }) =>
        `| \`${name}\` | ${type} | ${labelsText(labels)} | ${services.length === all.length ? 'all' : services.join(', ')} | ${help.replaceAll('|', '\\|')} |`,
    );
  return [
    '# Metrics',
    '',
    'Generated from the code. Each service serves its own at `/metrics`, every series with the label values below from its start, at 0. Besides these there are',
    '`tidegate_info{service}`, always 1, and the `process_*` and `nodejs_*` metrics of the runtime.',
    '',
    '| Metric | Type | Labels | Service | Meaning |',
    '|---|---|---|---|---|',
    ...lines,
    '',
  ].join('\n');
}

function labelsText(labels: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(labels)
    .map(([label, values]) => `\`${label}\`: ${valuesText(values)}`)
    .join('; ');
}

function valuesText(values: readonly string[]): string {
  if (values.length === 0) return 'as they come';
  return values.length > MOST_VALUES ? `${values.length} known values` : values.join(', ');
}
