import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '@tidegate/local-stack/process/free-port';
import { ManagedProcess } from '@tidegate/local-stack/process/managed-process';
import { tryRun } from '@tidegate/local-stack/process/run';
import { findKit, type Programs } from '@tidegate/local-stack/programs/find-kit';
import { eventually } from '@tidegate/test-harness/eventually';
import { allRules } from '../src/alerts/rules.js';
import { selectorsOf } from '../src/promql/selectors.js';
import { alertmanagerFile, alertsFolder, filesIn } from '../src/repository-files.js';

// Programs of others that come within seconds, or from the cache; `npm run verify` compiles them where it must. Where there is none of them now, what can be
// said without them is.
let prometheus: Programs | null;
let alertmanager: Programs | null;
let folder: string;
/** Each case makes a database of its own, which nobody needs on a disk. */
const IN_MEMORY = existsSync('/dev/shm') ? { ...process.env, TMPDIR: '/dev/shm' } : process.env;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-promtool-'));
  [prometheus, alertmanager] = await Promise.all([
    findKit('prometheus', { patience: 'seconds' }),
    findKit('alertmanager', { patience: 'seconds' }),
  ]);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const paths = (sub: string, ending: string) => filesIn(join(alertsFolder(), sub), ending).map(({ file }) => file);

describe('The rules', () => {
  it('are what promtool takes for rules', async () => {
    if (prometheus === null) return expect(allRules().flatMap(({ expr }) => selectorsOf(expr)).length).toBeGreaterThan(50);
    const { output, failure } = await tryRun(prometheus['promtool']!, ['check', 'rules', ...paths('', '.rules.yaml')]);
    expect([failure, output]).toEqual([undefined, expect.stringContaining('SUCCESS')]);
  });

  it('fire and stay quiet as their cases say', async () => {
    if (prometheus === null) return expect(paths('tests', '.test.yaml').length).toBeGreaterThan(5);
    const { output, failure } = await tryRun(prometheus['promtool']!, ['test', 'rules', ...paths('tests', '.test.yaml')], {
      timeoutMs: 100_000,
      env: IN_MEMORY,
    });
    expect([failure, output]).toEqual([undefined, expect.stringContaining('SUCCESS')]);
  }, 120_000);
});

interface Told {
  labels: Record<string, string>;
  receivers: { name: string }[];
  status: { inhibitedBy: string[] };
}

describe('Alertmanager', () => {
  let server: ManagedProcess | undefined;
  let url: string;
  beforeAll(async () => {
    if (alertmanager === null) return;
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    server = await ManagedProcess.start({
      name: 'Alertmanager',
      command: alertmanager['alertmanager']!,
      args: [
        `--config.file=${alertmanagerFile()}`,
        `--storage.path=${folder}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--cluster.listen-address=',
      ],
      env: { PATH: process.env['PATH'] },
      cwd: folder,
      log: join(folder, 'alertmanager.log'),
      stopSignal: 'SIGTERM',
    });
    await eventually(async () => expect((await fetch(`${url}/-/ready`)).ok).toBe(true), { timeoutMs: 20_000 });
  }, 60_000);
  afterAll(() => server?.stop(3_000));

  it('takes its configuration', async () => {
    if (alertmanager === null) return expect(filesIn(join(alertsFolder(), '..', 'alertmanager'), '.yaml')).toHaveLength(1);
    const { failure } = await tryRun(alertmanager['amtool']!, ['check-config', alertmanagerFile()]);
    expect(failure).toBeUndefined();
  });

  it('knows for each alert who hears of it', async () => {
    if (alertmanager === null) return;
    const receivers: Record<string, string> = { critical: 'pager', warning: 'chat', none: 'dead-mans-switch' };
    const severities = new Map(
      allRules().map(({ alert, labels }) => [`${alert} ${labels['severity']}`, { alert, severity: labels['severity']! }]),
    );
    const some = [...severities.values()].filter(({ alert }) => ['StripeCircuitOpen', 'DeadLetters', 'Watchdog'].includes(alert));
    for (const { alert, severity } of some) {
      const labels = [`alertname=${alert}`, `severity=${severity}`];
      const { output } = await tryRun(
        alertmanager['amtool']!,
        ['config', 'routes', 'test', '--config.file', alertmanagerFile(), ...labels],
        { stdoutOnly: true },
      );
      expect([alert, output.trim()]).toEqual([alert, receivers[severity]]);
    }
  });

  it('says nothing of what follows from a Stripe that is away, and says the rest', async () => {
    if (alertmanager === null) return;
    const of = (name: string, severity?: string) =>
      allRules().find(({ alert, labels }) => alert === name && labels['severity'] === (severity ?? labels['severity']))!;
    const add = async (name: string, more: Record<string, string> = {}, severity?: string) => {
      const { labels } = of(name, severity);
      const words = Object.entries({ ...labels, ...more }).map(([label, value]) => `${label}=${value}`);
      const { failure, output } = await tryRun(alertmanager!['amtool']!, [`--alertmanager.url=${url}`, 'alert', 'add', name, ...words]);
      expect([failure, output]).toEqual([undefined, expect.anything()]);
    };
    await add('StripeCircuitOpen', { breaker_name: 'stripe' });
    await add('PaymentsPendingOld', { status: 'unknown' });
    await add('PaymentWindowNotExpiring');
    await add('ReconciliationStale');
    await add('DeadLetters', { consumer: 'receipts-payments' });
    await add('OutboxLag', { service: 'payments' });
    await add('BillingReconciliationMissing', {}, 'critical');
    await eventually(async () => {
      const told = (await (await fetch(`${url}/api/v2/alerts`)).json()) as Told[];
      const heard = told.filter(({ status }) => status.inhibitedBy.length === 0).map(({ labels }) => labels['alertname']);
      expect(told).toHaveLength(7);
      expect(heard.sort()).toEqual(['DeadLetters', 'OutboxLag', 'StripeCircuitOpen']);
    });
    await add('BrokerCanaryFailed', { service: 'payments' });
    await eventually(async () => {
      const { output } = await tryRun(alertmanager!['amtool']!, [
        `--alertmanager.url=${url}`,
        'alert',
        'query',
        '--inhibited',
        '-o',
        'simple',
      ]);
      expect(output).toContain('OutboxLag');
    });
  });
});
