import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@tidegate/local-stack/repository';
import { matches, type Selector } from './selectors.js';

/** A metric of the generated list, which an end-to-end test holds against real scrapes. */
export interface KnownMetric {
  type: string;
  /** Values by label; `any` where they come as they come, or are too many to be listed. */
  labels: Readonly<Record<string, readonly string[] | 'any'>>;
}

/** What Prometheus adds: the target's labels, and its own series. A metric's own label of such a name becomes `exported_…`, since the target's one counts. */
const OF_THE_TARGET = ['service', 'instance', 'job'];
const EXPORTED = /^exported_(?=service$|instance$|job$)/;
const OF_PROMETHEUS: Readonly<Record<string, KnownMetric>> = { up: { type: 'gauge', labels: {} } };

/** The metrics of docs/generated/metrics.md, by name. */
export function knownMetrics(): ReadonlyMap<string, KnownMetric> {
  const rows = readFileSync(join(repositoryRoot(), 'docs', 'generated', 'metrics.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()));
  const known = rows.map(([, name = '', type = '', labels = '']): [string, KnownMetric] => [
    name.replaceAll('`', ''),
    { type, labels: labelsIn(labels) },
  ]);
  return new Map([...known, ...Object.entries(OF_PROMETHEUS)]);
}

/** Why a selector can never find anything; null when it can. */
export function faultOf({ metric, matchers }: Selector, known: ReadonlyMap<string, KnownMetric>): string | null {
  const base = metric.replace(/_(bucket|count|sum)$/, '');
  const found = known.get(metric) ?? (known.get(base)?.type === 'histogram' ? known.get(base) : undefined);
  if (found === undefined) return `${metric} is exported by nobody`;
  for (const matcher of matchers) {
    if (OF_THE_TARGET.includes(matcher.label) && matcher.label in found.labels)
      return `${metric} has a ${matcher.label} of its own, which Prometheus calls exported_${matcher.label}`;
    if (OF_THE_TARGET.includes(matcher.label) || (matcher.label === 'le' && found.type === 'histogram')) continue;
    const values = found.labels[matcher.label.replace(EXPORTED, '')];
    if (values === undefined) return `${metric} has no label ${matcher.label}`;
    if (values !== 'any' && !values.some((value) => matches(matcher, value)))
      return `${metric} has no ${matcher.label}${matcher.op}"${matcher.value}"`;
  }
  return null;
}

function labelsIn(cell: string): KnownMetric['labels'] {
  const parts = cell.split('; ').filter((part) => part !== '');
  return Object.fromEntries(
    parts.map((part) => {
      const [label = '', values = ''] = part.split(': ');
      return [label.replaceAll('`', ''), /^(as they come|\d+ known values)$/.test(values) ? 'any' : values.split(', ')];
    }),
  );
}
