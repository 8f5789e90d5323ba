import { setTimeout as delay } from 'node:timers/promises';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Label names with the values known beforehand: each combination exists from start-up, at 0. An empty list leaves the label open. */
export type LabelValues<L extends string> = Readonly<Record<L, readonly string[]>>;

export interface MetricInfo {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  /** The values known beforehand, sorted. */
  labels: Record<string, string[]>;
}

export interface Metrics {
  registry: Registry;
  /** Everything asked for so far, by name; the runtime's own `process_*` and `nodejs_*` are not among it. */
  registered(): MetricInfo[];
  counter<L extends string = never>(name: string, help: string, labels?: LabelValues<L>): Counter<L>;
  /** `collect` runs at each scrape and sets the values; when it throws, or takes over 5 s, the last values stay. */
  gauge<L extends string = never>(
    name: string,
    help: string,
    labels?: LabelValues<L>,
    collect?: (gauge: Gauge<L>) => void | Promise<void>,
  ): Gauge<L>;
  /** Seconds, unless the name says otherwise. */
  histogram<L extends string = never>(name: string, help: string, labels?: LabelValues<L>, buckets?: readonly number[]): Histogram<L>;
}

/** From a fast row to a request that waits for its deadline. */
export const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25] as const;

/** A registry of its own per service instance; asking twice for one name gives the same metric, with the label values of both. */
export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  const collectors = new Map<string, Collector[]>();
  const infos = new Map<string, MetricInfo>();
  const note = (type: MetricInfo['type'], name: string, help: string, labels: Readonly<Record<string, readonly string[]>> = {}) => {
    const info = infos.get(name) ?? { name, type, help, labels: {} };
    for (const [label, values] of Object.entries(labels))
      info.labels[label] = [...new Set([...(info.labels[label] ?? []), ...values])].sort();
    infos.set(name, info);
  };
  collectDefaultMetrics({ register: registry });
  new Gauge({ name: 'tidegate_info', help: 'Always 1; names the service.', labelNames: ['service'], registers: [registry] }).set(
    { service },
    1,
  );

  return {
    registry,
    registered: () => [...infos.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    counter: (name, help, labels) => {
      note('counter', name, help, labels);
      const counter = existing(registry, name) ?? new Counter({ name, help, labelNames: namesOf(labels), registers: [registry] });
      for (const values of combinations(labels)) (counter as Counter).inc(values, 0);
      return counter as never;
    },
    gauge: (name, help, labels, collect) => {
      note('gauge', name, help, labels);
      const ofThisName = collectors.get(name) ?? [];
      if (collect) ofThisName.push(collect as Collector);
      collectors.set(name, ofThisName);
      const gauge = (existing(registry, name) ??
        new Gauge({ name, help, labelNames: namesOf(labels), registers: [registry], collect: runAll(ofThisName) })) as Gauge;
      for (const values of combinations(labels)) gauge.inc(values, 0);
      return gauge as never;
    },
    histogram: (name, help, labels, buckets = SECONDS_BUCKETS) => {
      note('histogram', name, help, labels);
      const histogram =
        existing(registry, name) ??
        new Histogram({ name, help, labelNames: namesOf(labels), buckets: [...buckets], registers: [registry] });
      for (const values of combinations(labels)) (histogram as Histogram).zero(values);
      return histogram as never;
    },
  };
}

function existing(registry: Registry, name: string): unknown {
  return registry.getSingleMetric(name);
}

function namesOf(labels: Readonly<Record<string, readonly string[]>> | undefined): string[] {
  return Object.keys(labels ?? {});
}

/** Half of what Prometheus waits for a scrape. */
const COLLECT_MS = 5_000;

type Collector = (gauge: Gauge) => void | Promise<void>;

function runAll(collectors: readonly Collector[]): (this: Gauge) => Promise<void> {
  return async function collect(this: Gauge) {
    // The database may be away, or give no answer at all: a scrape still answers, with what was known last.
    const collected = Promise.allSettled(collectors.map(async (one) => one(this)));
    await Promise.race([collected, delay(COLLECT_MS, undefined, { ref: false })]);
  };
}

function combinations(labels: Readonly<Record<string, readonly string[]>> | undefined): Record<string, string>[] {
  let rows: Record<string, string>[] = [{}];
  for (const [name, values] of Object.entries(labels ?? {}))
    rows = rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value })));
  return rows;
}
