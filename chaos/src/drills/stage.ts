import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PaymentView } from '@tidegate/contracts/responses';
import { startAlertmanager, startPrometheus, type Watcher } from '@tidegate/local-stack/observability/prometheus';
import { localEnvironment } from '@tidegate/local-stack/stack/stack-files';
import { repositoryRoot } from '@tidegate/local-stack/repository';
import { quickened } from '@tidegate/observability/alerts/quicken';
import { ruleFiles } from '@tidegate/observability/alerts/rules';
import { alertmanagerFile } from '@tidegate/observability/repository-files';
import { type Arena, openArena } from '../arena.js';
import { type Drill } from './drill.js';

/** What Alertmanager holds. */
export interface Told {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  status: { state: string; inhibitedBy: string[] };
}

/** A whole Tidegate that is watched by a real Prometheus and a real Alertmanager. */
export interface Stage {
  arena: Arena;
  prometheus: Watcher;
  alertmanager: Watcher | null;
  /** Alerts that Alertmanager has now, inhibited ones too. */
  told(): Promise<Told[]>;
  /** Samples that an expression gives now. */
  query(expr: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]>;
  /** The environment of an operator's shell. */
  shellEnv(): NodeJS.ProcessEnv;
  /** Asks for a payment; never throws. */
  pay(more?: Record<string, unknown>): Promise<{ status: number; payment: PaymentView | null }>;
  close(): Promise<void>;
}

/** The breaker opens as in production, and not by chance; retries and sweeps come soon. */
const SETTINGS = { CIRCUIT_BREAKER_FAILURE_THRESHOLD: '5', CIRCUIT_BREAKER_RECOVERY_TIMEOUT: '2', SHUTDOWN_GRACE_SECONDS: '0' };

export interface StageOptions extends Pick<Drill, 'env' | 'thresholds'> {
  /** Without one, what Prometheus says fires is taken for told. */
  withAlertmanager: boolean;
}

export async function openStage({ env = {}, thresholds = {}, withAlertmanager }: StageOptions): Promise<Stage> {
  const arena = await openArena({ env: { ...env, '*': { ...SETTINGS, ...env['*'] } } });
  const folder = join(arena.stack.dir, 'watchers');
  const open: Watcher[] = [];
  const close = async () => {
    await Promise.all(open.map((one) => one.stop()));
    await arena.close();
  };
  try {
    const say = (line: string) => console.error(line);
    const rules = join(arena.stack.dir, 'drill.rules.yaml');
    writeFileSync(rules, quickened(ruleFiles(), thresholds));
    const config = join(arena.stack.dir, 'alertmanager.yaml');
    writeFileSync(config, readFileSync(alertmanagerFile(), 'utf8').replaceAll(/(group_wait|group_interval): \w+/g, '$1: 1s'));
    const alertmanager = withAlertmanager ? await startAlertmanager({ folder, config, say }) : null;
    if (alertmanager !== null) open.push(alertmanager);
    const prometheus = await startPrometheus({
      folder,
      stack: arena.stack,
      rules: [rules],
      ...(alertmanager === null ? {} : { alertmanager: alertmanager.url }),
      everySeconds: 1,
      say,
    });
    open.push(prometheus);
    return { arena, prometheus, alertmanager, ...looks(arena, prometheus, alertmanager), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function looks(arena: Arena, prometheus: Watcher, alertmanager: Watcher | null): Pick<Stage, 'told' | 'query' | 'shellEnv' | 'pay'> {
  return {
    told: async () => (alertmanager === null ? firing(prometheus) : json<Told[]>(`${alertmanager.url}/api/v2/alerts`)),
    query: async (expr) => {
      const { data } = await json<{ data: { result: { metric: Record<string, string>; value: [number, string] }[] } }>(
        `${prometheus.url}/api/v1/query?query=${encodeURIComponent(expr)}`,
      );
      return data.result;
    },
    shellEnv: () => ({
      PATH: `${join(repositoryRoot(), 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}`,
      HOME: process.env['HOME'],
      ...localEnvironment(arena.stack),
      PROMETHEUS_URL: prometheus.url,
    }),
    pay: async (more = {}) => {
      const { prefer, ...body } = more;
      const answer = await arena.client.once({
        method: 'POST',
        path: '/v1/payments',
        key: randomUUID(),
        body: { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa', ...body },
        ...(prefer === undefined ? {} : { headers: { prefer: String(prefer) } }),
      });
      return { status: answer.status, payment: answer.status < 300 && answer.status > 0 ? (JSON.parse(answer.body) as PaymentView) : null };
    },
  };
}

async function firing({ url }: Watcher): Promise<Told[]> {
  const { data } = await json<{ data: { alerts: (Omit<Told, 'status'> & { state: string })[] } }>(`${url}/api/v1/alerts`);
  return data.alerts
    .filter(({ state }) => state === 'firing')
    .map(({ labels, annotations }) => ({ labels, annotations, status: { state: 'active', inhibitedBy: [] } }));
}

async function json<T>(url: string): Promise<T> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}
