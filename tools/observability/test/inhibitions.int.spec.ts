import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { startAlertmanager, type Watcher } from '@tidegate/local-stack/observability/prometheus';
import { findKit } from '@tidegate/local-stack/programs/find-kit';
import { eventually } from '@tidegate/test-harness/eventually';
import { allRules } from '../src/alerts/rules.js';
import { alertmanagerFile } from '../src/repository-files.js';

let folder: string;
let alertmanager: Watcher | null = null;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-inhibitions-'));
  if ((await findKit('alertmanager', { patience: 'seconds' })) !== null)
    alertmanager = await startAlertmanager({ folder, config: alertmanagerFile() });
}, 60_000);
afterAll(async () => {
  await alertmanager?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Alert {
  name: string;
  labels?: Record<string, string>;
  /** Which of the rules of one name. */
  severity?: string;
}

/** What is firing, and what of it somebody hears of. */
const CASES: { told: string; firing: Alert[]; heard: string[] }[] = [
  {
    told: 'a breaker of usage says nothing of payments',
    firing: [
      { name: 'StripeCircuitOpen', labels: { breaker_name: 'stripe_usage' } },
      { name: 'UsageUnreported' },
      { name: 'PaymentsPendingOld', labels: { status: 'unknown' } },
      { name: 'ApiErrorBudgetBurn', severity: 'critical' },
    ],
    heard: ['ApiErrorBudgetBurn', 'PaymentsPendingOld', 'StripeCircuitOpen'],
  },
  {
    told: 'the database of a service says why that one is not ready',
    firing: [
      { name: 'PostgresAway', labels: { service: 'payments' } },
      { name: 'TidegateNotReady', labels: { service: 'payments' } },
      { name: 'TidegateNotReady', labels: { service: 'gateway' } },
    ],
    heard: ['PostgresAway', 'TidegateNotReady'],
  },
  {
    told: 'a breaker of payments says all of it',
    firing: [
      { name: 'StripeCircuitOpen', labels: { breaker_name: 'stripe' } },
      { name: 'UsageUnreported' },
      { name: 'PaymentsPendingOld', labels: { status: 'unknown' } },
      { name: 'ApiErrorBudgetBurn', severity: 'critical' },
    ],
    heard: ['StripeCircuitOpen'],
  },
  {
    told: 'a breaker of reads says nothing of what is written',
    firing: [
      { name: 'StripeCircuitOpen', labels: { breaker_name: 'stripe_reads' } },
      { name: 'ApiErrorBudgetBurn', severity: 'critical' },
      { name: 'PaymentFailureRatio' },
      { name: 'PaymentsPendingOld', labels: { status: 'queued' } },
      { name: 'PaymentWindowNotExpiring' },
      { name: 'UsageUnreported' },
    ],
    heard: [
      'ApiErrorBudgetBurn',
      'PaymentFailureRatio',
      'PaymentWindowNotExpiring',
      'PaymentsPendingOld',
      'StripeCircuitOpen',
      'UsageUnreported',
    ],
  },
  {
    told: 'a breaker of reads says what waits for a look-up or a list',
    firing: [
      { name: 'StripeCircuitOpen', labels: { breaker_name: 'stripe_reads' } },
      { name: 'PaymentsUnknownOld' },
      { name: 'PaymentsPendingOld', labels: { status: 'unknown' } },
      { name: 'PaymentsRetryBacklog' },
      { name: 'PaymentCompletionBudgetBurn', severity: 'critical' },
      { name: 'SubscriptionRequestOld', labels: { kind: 'cancel' } },
      { name: 'BillingReconciliationMissing', severity: 'critical' },
      { name: 'ReconciliationStale' },
      { name: 'LedgerBalanceNotRead' },
      { name: 'WebhookSweepBehind' },
    ],
    heard: ['StripeCircuitOpen'],
  },
  {
    told: 'a key that is refused says all of it',
    firing: [{ name: 'StripeAuthRejected' }, { name: 'UsageUnreported' }, { name: 'PaymentsUnknownOld' }],
    heard: ['StripeAuthRejected'],
  },
  {
    told: 'receipts that are down say nothing of a comparison that is late',
    firing: [
      { name: 'TidegateDown', labels: { service: 'receipts' } },
      { name: 'ReconciliationStale' },
      { name: 'BillingReconciliationMissing', severity: 'critical' },
    ],
    heard: ['BillingReconciliationMissing', 'ReconciliationStale', 'TidegateDown'],
  },
  {
    told: 'reconciliation that is down says why nothing is compared',
    firing: [
      { name: 'TidegateDown', labels: { service: 'reconciliation' } },
      { name: 'ReconciliationStale' },
      { name: 'BillingReconciliationMissing', severity: 'critical' },
      { name: 'SeriesAbsent', labels: { series: 'billing' } },
    ],
    heard: ['TidegateDown'],
  },
  {
    told: 'a stream that one service has lost says nothing of the outbox of another',
    firing: [
      { name: 'BrokerStoreLost', labels: { service: 'webhooks' } },
      { name: 'OutboxLag', labels: { service: 'webhooks' } },
      { name: 'OutboxLag', labels: { service: 'payments' } },
    ],
    heard: ['BrokerStoreLost', 'OutboxLag payments'],
  },
];

afterEach(async () => {
  if (alertmanager === null) return;
  await post(
    (await told()).map(({ labels }) => labels),
    'over',
  );
  await eventually(async () => expect(await told()).toEqual([]));
});

it.each(CASES)('Of what fires, $told', async ({ firing, heard }) => {
  // Debian's package comes within seconds; where there is none, the cases at least name alerts that there are.
  const labels = firing.map(labelsOf);
  if (alertmanager === null) return;
  await post(labels, 'firing');
  await eventually(async () => {
    const there = await told();
    expect(there).toHaveLength(firing.length);
    const names = there
      .filter(({ status }) => status.inhibitedBy.length === 0)
      .map(({ labels: { alertname, service } }) => (alertname === 'OutboxLag' ? `${alertname} ${service}` : alertname));
    expect(names.sort()).toEqual(heard);
  });
});

function labelsOf({ name, labels = {}, severity }: Alert): Record<string, string> {
  const rule = allRules().find((one) => one.alert === name && one.labels['severity'] === (severity ?? one.labels['severity']));
  if (rule === undefined) throw new Error(`There is no rule ${name}`);
  return { alertname: name, ...rule.labels, ...labels };
}

async function post(all: readonly Record<string, string>[], state: 'firing' | 'over'): Promise<void> {
  const endsAt = new Date(Date.now() + (state === 'over' ? -1 : 60_000)).toISOString();
  const startsAt = new Date(Date.now() - 10_000).toISOString();
  const answer = await fetch(`${alertmanager!.url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(all.map((labels) => ({ labels, startsAt, endsAt }))),
  });
  expect(answer.status).toBe(200);
}

interface Told {
  labels: Record<string, string>;
  status: { inhibitedBy: string[] };
}
const told = async (): Promise<Told[]> => (await (await fetch(`${alertmanager!.url}/api/v2/alerts`)).json()) as Told[];
