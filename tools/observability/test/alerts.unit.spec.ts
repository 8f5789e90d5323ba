import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { alertNames, allRules, pageOf, ruleFiles } from '../src/alerts/rules.js';
import { readDrillTable } from '../src/drills/table.js';
import { faultOf, knownMetrics } from '../src/promql/known-metrics.js';
import { selectorsOf } from '../src/promql/selectors.js';
import { alertsFolder, dashboardsFolder, filesIn, runbooksFolder } from '../src/repository-files.js';

interface TestFile {
  rule_files: string[];
  tests: { name: string; promql_expr_test: { expr: string; exp_samples: unknown[] }[] }[];
}

const cases = filesIn(join(alertsFolder(), 'tests'), '.test.yaml').flatMap(({ text }) => (parse(text) as TestFile).tests);
/** What a case is about, by its name and by what it asks. */
const about = (kind: 'fires' | 'stays quiet') =>
  cases
    .filter(({ promql_expr_test }) => promql_expr_test.every(({ exp_samples }) => (kind === 'fires') === exp_samples.length > 0))
    .map(({ name, promql_expr_test }) => ({ name, asked: /alertname="(\w+)"/.exec(promql_expr_test[0]?.expr ?? '')?.[1] }))
    .map(({ name, asked }) => (name.startsWith(`${asked} ${kind} `) ? asked! : `a case that is not what it says: ${name}`));
const sortedSet = (names: readonly string[]) => [...new Set(names)].sort();

describe('The alerts', () => {
  it('each have a case of promtool in which they fire, and one in which they stay quiet', () => {
    expect(sortedSet(about('fires'))).toEqual(alertNames());
    // What always fires has no other.
    expect(sortedSet([...about('stays quiet'), 'Watchdog'])).toEqual(alertNames());
  });

  it('each have a page, which is called like them', () => {
    expect(alertNames().filter((alert) => !existsSync(join(runbooksFolder(), `${pageOf(alert)}.md`)))).toEqual([]);
    for (const alert of alertNames()) {
      const text = readFileSync(join(runbooksFolder(), `${pageOf(alert)}.md`), 'utf8');
      expect(text.split('\n')[0]).toBe(`# ${alert}`);
    }
  });

  it('each have a drill in which they fire, or a reason why there is none', () => {
    const { drilled, reasons } = readDrillTable();
    expect(sortedSet([...drilled, ...Object.keys(reasons)])).toEqual(alertNames());
    expect(Object.keys(reasons).filter((alert) => drilled.includes(alert))).toEqual([]);
  });

  it('say how bad it is, what it is, what to do and where to look', () => {
    for (const { alert, labels, annotations } of allRules()) {
      expect([alert, labels['severity']]).toEqual([alert, expect.stringMatching(/^(critical|warning|none)$/)]);
      expect(annotations).toEqual({
        summary: expect.stringMatching(/\S/),
        description: expect.stringMatching(/\S/),
        runbook_url: `https://tidegate.example/runbooks/${pageOf(alert)}`,
        dashboard_url: expect.stringMatching(/^https:\/\/grafana\.tidegate\.example\/d\/tidegate-[a-z]+$/),
      });
    }
  });

  it('lead to dashboards that there are', () => {
    const uids = filesIn(dashboardsFolder(), '.json').map(({ text }) => (JSON.parse(text) as { uid: string }).uid);
    const named = allRules().map(({ annotations }) => annotations['dashboard_url']?.split('/').at(-1));
    expect(named.filter((uid) => uid === undefined || !uids.includes(uid))).toEqual([]);
  });

  it('read only metrics, labels and values that services export from their start', () => {
    const known = knownMetrics();
    const faults = allRules().flatMap(({ alert, expr }) =>
      selectorsOf(expr).flatMap((selector) => {
        const fault = faultOf(selector, known);
        return fault === null ? [] : [`${alert}: ${fault}`];
      }),
    );
    expect(faults).toEqual([]);
  });

  it('fire when the gauge that they read is exported by nobody, by themselves or by SeriesAbsent', () => {
    const guarded = new Set(allRules().flatMap(({ expr }) => [...expr.matchAll(/absent\((\w+)/g)].map(([, metric]) => metric!)));
    const known = knownMetrics();
    const gauges = allRules()
      .flatMap(({ expr }) => selectorsOf(expr).map(({ metric }) => metric))
      .filter((metric) => known.get(metric)?.type === 'gauge');
    expect(sortedSet(gauges).filter((metric) => !guarded.has(metric))).toEqual([]);
  });

  it('of one name say the same in every window and differ in severity or window', () => {
    const keys = allRules().map(({ alert, labels }) => `${alert} ${labels['severity']} ${labels['window'] ?? ''}`);
    expect(sortedSet(keys)).toEqual([...keys].sort());
  });

  it('stand in one group for each file', () => {
    for (const { file, groups } of ruleFiles()) expect(groups.map(({ name }) => name)).toEqual([`tidegate-${file.split('.')[0]}`]);
  });
});

describe('A selector', () => {
  it.each([
    ['a metric that nobody exports', 'nothing_total', 'nothing_total is exported by nobody'],
    ['a label that the metric has not', 'circuit_state{name="stripe"}', 'circuit_state has no label name'],
    [
      'a value that the label never has',
      'circuit_state{breaker_name=~"paypal|adyen"}',
      'circuit_state has no breaker_name=~"paypal|adyen"',
    ],
    [
      'a label whose name is taken by the target',
      'job_errors_total{job="ledger"}',
      'job_errors_total has a job of its own, which Prometheus calls exported_job',
    ],
    ['that label as Prometheus calls it', 'job_errors_total{exported_job="ledger",service="reconciliation"}', null],
    ['what there is', 'max by (x) (rate(stripe_request_duration_seconds_bucket{le="5",service="payments"}[5m]))', null],
  ])('of %s is seen through', (_, expr, fault) => {
    expect(selectorsOf(expr).map((selector) => faultOf(selector, knownMetrics()))).toEqual([fault]);
  });

  it('in a broken expression is an error', () => {
    expect(() => selectorsOf('sum(rate(x[5m])')).toThrow('Not PromQL');
  });
});
