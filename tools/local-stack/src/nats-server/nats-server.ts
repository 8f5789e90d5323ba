import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { ManagedProcess } from '../process/managed-process.js';
import { until } from '../process/until.js';
import { StackError } from '../stack-error.js';
import { type NatsConfig, type NatsUser, configFile } from './config-file.js';
import { probeVersion } from './version.js';

export interface NatsServerOptions {
  /** See `findNatsServer`. */
  program: string;
  /** Holds the configuration and, in `jetstream/`, the store. */
  folder: string;
  port: number;
  log: string;
  users: readonly NatsUser[];
  /** See `NatsConfig`; false only for tests. */
  syncAlways: boolean;
  /** Default 2 GiB. */
  maxFileStoreBytes?: number;
}

/** One nats-server with JetStream, on a port of the loopback address that stays its own over restarts. */
export class NatsServer {
  private process: ManagedProcess | undefined;

  private constructor(
    private readonly options: NatsServerOptions,
    /** "2.14.5" */
    readonly version: string,
  ) {}

  /** Writes its configuration; starts nothing. Throws StackError when the program does not run. */
  static async prepare(options: NatsServerOptions): Promise<NatsServer> {
    const version = await probeVersion(options.program);
    if (version === undefined) throw new StackError(`${options.program} is not a nats-server that runs on this machine.`);
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    const server = new NatsServer(options, version);
    writeFileSync(server.configuration, configFile(server.config(), version), { mode: 0o600 });
    return server;
  }

  get port(): number {
    return this.options.port;
  }

  /** undefined while it is down. */
  get pid(): number | undefined {
    return this.process?.alive === true ? this.process.pid : undefined;
  }

  /** Resolves when the running server has ended; at once when none runs. */
  get exited(): Promise<unknown> {
    return this.process?.exited ?? Promise.resolve();
  }

  /** Folder of the JetStream store, for tests that copy or damage it. */
  get store(): string {
    return join(this.options.folder, 'jetstream');
  }

  /** Connection URL with the credentials of a user. Throws when there is no such user. */
  url(user: string): string {
    const found = this.options.users.find((one) => one.user === user);
    if (found === undefined) throw new Error(`Bug: no NATS user ${user}`);
    return `nats://${found.user}:${found.password}@127.0.0.1:${this.port}`;
  }

  /** Starts it and waits until it answers with JetStream on. */
  async start(): Promise<void> {
    if (this.pid !== undefined) return;
    const child = await ManagedProcess.start({
      name: 'nats-server',
      command: this.options.program,
      args: ['-c', this.configuration],
      env: { ...(process.env['PATH'] === undefined ? {} : { PATH: process.env['PATH'] }), TZ: 'UTC' },
      cwd: this.options.folder,
      log: this.options.log,
      stopSignal: 'SIGTERM',
    });
    this.process = child;
    await until(() => expectJetStream(this.port), {
      what: `nats-server on port ${this.port} (log: ${this.options.log})`,
      timeoutMs: 30_000,
      everyMs: 20,
      giveUp: () => (child.alive ? undefined : `nats-server ended while it started; the end of ${this.options.log}:\n${child.said()}`),
    });
  }

  /** Orderly end. */
  async stop(): Promise<void> {
    await this.process?.stop(10_000);
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.process?.kill();
  }

  /** Deletes the whole JetStream store of a server that is down. */
  wipe(): void {
    if (this.pid !== undefined) throw new Error('Bug: wiped the store of a nats-server that runs');
    rmSync(this.store, { recursive: true, force: true });
  }

  private get configuration(): string {
    return join(this.options.folder, 'nats-server.conf');
  }

  private config(): NatsConfig {
    const { port, users, syncAlways, maxFileStoreBytes = 2 * 1024 ** 3 } = this.options;
    return { port, store: this.store, users, syncAlways, maxFileStoreBytes, maxMemoryBytes: 64 * 1024 ** 2 };
  }
}

/** A server introduces itself with one INFO line to whoever connects. */
function expectJetStream(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.setTimeout(2000, () => socket.destroy(new Error('it accepts connections and says nothing')));
    socket.once('error', reject);
    socket.once('data', (line: Buffer) => {
      socket.destroy();
      if (line.toString('utf8').includes('"jetstream":true')) resolve();
      else reject(new Error('it runs without JetStream'));
    });
  });
}
