import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { freePort } from '@tidegate/local-stack/process/free-port';
import { repositoryRoot } from '@tidegate/local-stack/repository';
import { eventually } from '@tidegate/test-harness/eventually';

/** The names of the product's interface that scripts and dashboards rely on, as far as they exist. */
const PROMISED: Record<string, readonly string[]> = {
  gateway: ['http_request_duration_seconds', 'db_pool_size', 'db_pool_in_use', 'db_pool_waiting'],
  payments: [
    'circuit_state',
    'stripe_requests_total',
    'stripe_request_duration_seconds',
    'payments_attempts_total',
    'payments_duration_seconds',
    'payments_pending_oldest_seconds',
    'payments_retry_queue_depth',
    'payments_retry_attempts_total',
    'payments_idempotency_total',
    'outbox_unpublished',
    'outbox_oldest_seconds',
    'inbox_pending',
    'inbox_oldest_seconds',
    'dead_letters',
    'broker_canary_seconds',
  ],
  webhooks: ['stripe_webhook_events_total', 'stripe_webhook_lag_seconds', 'stripe_events_missed_total', 'broker_canary_seconds'],
  reconciliation: [
    'billing_reconciliation_last_success_timestamp',
    'billing_reconciliation_duration_seconds',
    'billing_reconciliation_discrepancies_total',
    'billing_reconciliation_runs_total',
    'job_errors_total',
    'broker_canary_seconds',
  ],
  receipts: [
    'payments_receipt_errors_total',
    'receipts_missing_oldest_seconds',
    'receipts_render_duration_seconds',
    'broker_canary_seconds',
  ],
};
const NOWHERE = '127.0.0.1:1';

jest.setTimeout(60_000);

/** Neither Postgres nor the broker is there: what is exported then is there from the start, whatever comes. */
describe('Right after its start', () => {
  let service: ChildProcess | undefined;
  afterEach(async () => {
    if (!service || service.exitCode !== null) return;
    const ended = once(service, 'exit');
    service.kill('SIGKILL');
    await ended;
  });

  it.each(readdirSync(join(repositoryRoot(), 'services')))('%s exports every series of the generated list', async (name) => {
    const text = await scrape(name);
    const listed = listedMetrics(name);

    expect(listed.map((metric) => metric.name)).toEqual(expect.arrayContaining([...(PROMISED[name] ?? [])]));
    const absent = listed.flatMap(({ series }) => series).filter((series) => !text.some((line) => series.test(line)));
    expect(absent).toEqual([]);
  });

  async function scrape(name: string): Promise<string[]> {
    const port = await freePort();
    service = spawn(process.execPath, [join(repositoryRoot(), 'services', name, 'bundle', 'main.js')], {
      env: {
        PATH: process.env['PATH'],
        PORT: String(port),
        DATABASE_URL: `postgres://nobody@${NOWHERE}/nothing`,
        NATS_URL: `nats://${NOWHERE}`,
        STRIPE_API_BASE: `http://${NOWHERE}`,
        STRIPE_SECRET_KEY: ['sk', 'test', 'nobody'].join('_'),
        STRIPE_WEBHOOK_SECRET: ['whsec', 'nobody'].join('_'),
      },
      stdio: 'ignore',
    });
    const answer = await eventually(() => fetch(`http://127.0.0.1:${port}/metrics`), { timeoutMs: 30_000 });
    return (await answer.text()).split('\n').filter((line) => !line.startsWith('#'));
  }
});

interface Listed {
  name: string;
  /** What finds each series in a scrape: one per value of each label, or one for a metric without labels that are known. */
  series: RegExp[];
}

/** The rows of docs/generated/metrics.md that name this service. */
function listedMetrics(service: string): Listed[] {
  const rows = readFileSync(join(repositoryRoot(), 'docs', 'generated', 'metrics.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()));
  return rows
    .filter(([, , , , services]) => services === 'all' || services?.split(', ').includes(service))
    .map(([, quoted = '', , labels = '', services = '']) => {
      const name = quoted.replaceAll('`', '');
      // Label values of a metric that several services share are not all of this one.
      const known = services === service ? knownValues(labels) : [];
      const series = known.map(([label, value]) => new RegExp(`^${name}(_count)?\\{[^}]*\\b${label}="${value}"`));
      return { name, series: series.length > 0 ? series : [new RegExp(`^${name}(_count)?[ {]`)] };
    });
}

function knownValues(cell: string): [string, string][] {
  return cell
    .split('; ')
    .filter((part) => part !== '' && !/: (as they come|\d+ known values)$/.test(part))
    .flatMap((part) => {
      const [label = '', values = ''] = part.split(': ');
      return values.split(', ').map((value): [string, string] => [label.replaceAll('`', ''), value]);
    });
}
