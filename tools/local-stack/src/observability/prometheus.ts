import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../process/free-port.js';
import { ManagedProcess } from '../process/managed-process.js';
import { until } from '../process/until.js';
import { needKit } from '../programs/find-kit.js';
import { type Stack } from '../stack/stack.js';
import { serviceNames } from '../stack/services.js';

/** A server of others that was started for a stack. */
export interface Watcher {
  url: string;
  pid: number;
  port: number;
  log: string;
  stop(): Promise<void>;
}

export interface PrometheusOptions {
  /** Data and configuration go here. */
  folder: string;
  stack: Stack;
  /** Paths of rule files. */
  rules: readonly string[];
  /** Base URL; absent: alerts go nowhere. */
  alertmanager?: string;
  everySeconds: number;
  say?: (line: string) => void;
}

const READY_MS = 60_000;

/** Prometheus over every process of a stack, with the labels that the rules expect: `job="tidegate"`, and the name of the service. */
export async function startPrometheus({ folder, stack, rules, alertmanager, everySeconds, say }: PrometheusOptions): Promise<Watcher> {
  const { prometheus } = await needKit('prometheus', { ...(say ? { say } : {}) });
  mkdirSync(folder, { recursive: true });
  const config = {
    global: { scrape_interval: `${everySeconds}s`, scrape_timeout: `${everySeconds}s`, evaluation_interval: `${everySeconds}s` },
    rule_files: rules,
    ...(alertmanager === undefined
      ? {}
      : { alerting: { alertmanagers: [{ static_configs: [{ targets: [new URL(alertmanager).host] }] }] } }),
    scrape_configs: [
      {
        job_name: 'tidegate',
        // The service names itself in one metric; the target's label is the one that counts.
        honor_labels: false,
        static_configs: serviceNames.map((service) => ({
          targets: stack.urls[service].map((url) => new URL(url).host),
          labels: { service },
        })),
      },
    ],
  };
  // JSON is YAML.
  writeFileSync(join(folder, 'prometheus.yaml'), JSON.stringify(config, null, 2));
  const port = await freePort();
  return started('Prometheus', port, '/-/ready', {
    command: prometheus!,
    args: [
      `--config.file=${join(folder, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(folder, 'prometheus')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--rules.alert.resend-delay=1s',
      '--query.lookback-delta=1m',
    ],
    folder,
  });
}

export interface AlertmanagerOptions {
  folder: string;
  /** Path of its configuration. */
  config: string;
  say?: (line: string) => void;
}

/** One Alertmanager without a cluster. */
export async function startAlertmanager({ folder, config, say }: AlertmanagerOptions): Promise<Watcher> {
  const { alertmanager } = await needKit('alertmanager', { ...(say ? { say } : {}) });
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  return started('Alertmanager', port, '/-/ready', {
    command: alertmanager!,
    args: [
      `--config.file=${config}`,
      `--storage.path=${join(folder, 'alertmanager')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    folder,
  });
}

/** Starts a program and waits until it says that it is ready. */
export async function started(
  name: string,
  port: number,
  readyPath: string,
  { command, args, folder, env }: { command: string; args: readonly string[]; folder: string; env?: NodeJS.ProcessEnv },
): Promise<Watcher> {
  const url = `http://127.0.0.1:${port}`;
  const log = join(folder, `${name.toLowerCase()}.log`);
  const child = await ManagedProcess.start({
    name,
    command,
    args,
    env: { PATH: process.env['PATH'], ...env },
    cwd: folder,
    log,
    stopSignal: 'SIGTERM',
  });
  try {
    await until(
      async () => {
        const { ok, status } = await fetch(`${url}${readyPath}`);
        if (!ok) throw new Error(`${readyPath} answered ${status}`);
      },
      {
        what: `${name} to be ready`,
        timeoutMs: READY_MS,
        giveUp: () => (child.alive ? undefined : `${name} ended while it started:\n${child.said()}`),
      },
    );
  } catch (error) {
    await child.kill();
    throw error;
  }
  return { url, pid: child.pid, port, log, stop: async () => void (await child.stop(3_000)) };
}
