import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ManagedProcess, tailOf } from '../process/managed-process.js';
import { until } from '../process/until.js';
import { StackError } from '../stack-error.js';
import { type PostgresBinaries, postgresBinaries } from './binaries.js';
import { createDataFolder } from './data-folder.js';
import { ownedFolder } from './owned-folder.js';
import { ping } from './ping.js';
import { endLeftOver } from './left-over.js';
import { type OsUser, unprivilegedUser } from './unprivileged-user.js';

export const adminUser = 'postgres';

export interface ClusterOptions {
  /** Everything of it lives here: `data/`, `admin-password`. May become a link, see `ownedFolder`. */
  folder: string;
  port: number;
  /** Where the server writes its log. */
  log: string;
  /** false only for tests: a crash of the machine (not of the process) may then cost the data. */
  fsync: boolean;
  maxConnections?: number;
  /** More of postgresql.conf, as `name=value`. */
  settings?: readonly string[];
  /** Copy this data folder instead of running initdb: see `template.ts`. */
  template?: string;
  /** Default: the server that npm installed. */
  binaries?: PostgresBinaries;
}

/** One PostgreSQL server on a port of the loopback address, with one folder, from initdb to a clean stop. */
export class PostgresCluster {
  private process: ManagedProcess | undefined;

  private constructor(
    private readonly options: ClusterOptions,
    private readonly binaries: PostgresBinaries,
    private readonly user: OsUser | undefined,
    /** The real folder, which is `options.folder` or where that links to. */
    readonly folder: string,
    private readonly password: string,
  ) {}

  /** Creates the data folder unless it is there. Throws StackError when it was made by another major version. */
  static async prepare(options: ClusterOptions): Promise<PostgresCluster> {
    const user = unprivilegedUser();
    const binaries = options.binaries ?? (await postgresBinaries(user));
    const folder = ownedFolder(options.folder, user);
    await createDataFolder({ folder, binaries, user, fsync: options.fsync, template: options.template });
    const version = readFileSync(join(folder, 'data', 'PG_VERSION'), 'utf8').trim();
    if (version !== String(binaries.major)) {
      throw new StackError(
        `The data in ${options.folder} is of PostgreSQL ${version} and this is ${binaries.major}: "npm run reset" starts afresh.`,
      );
    }
    return new PostgresCluster(options, binaries, user, folder, readFileSync(join(folder, 'admin-password'), 'utf8').trim());
  }

  get port(): number {
    return this.options.port;
  }

  /** Pid of the postmaster; undefined while it is down. */
  get pid(): number | undefined {
    return this.process?.alive === true ? this.process.pid : undefined;
  }

  /** Resolves when the running server has ended; at once when none runs. */
  get exited(): Promise<unknown> {
    return this.process?.exited ?? Promise.resolve();
  }

  /** Connection URL of the administrator. */
  url(database = 'postgres'): string {
    return `postgres://${adminUser}:${this.password}@127.0.0.1:${this.port}/${database}`;
  }

  /** Starts the server, after ending one that an earlier crash left on the same data, and waits until it answers. */
  async start(): Promise<void> {
    if (this.pid !== undefined) return;
    const data = join(this.folder, 'data');
    await endLeftOver(data);
    // A postmaster killed a moment ago may leave children that still hold its shared memory; a new one refuses until they are gone.
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.startOnce(data);
        return;
      } catch (error) {
        if (attempt === 10 || !tailOf(this.options.log, 6).includes('pre-existing shared memory block')) throw error;
      }
    }
  }

  private async startOnce(data: string): Promise<void> {
    const child = await ManagedProcess.start({
      name: 'PostgreSQL',
      command: join(this.binaries.bin, 'postgres'),
      args: ['-D', data, ...this.settings().flatMap((setting) => ['-c', setting])],
      env: { ...(process.env['PATH'] === undefined ? {} : { PATH: process.env['PATH'] }), LC_ALL: 'C', TZ: 'UTC' },
      cwd: '/',
      log: this.options.log,
      user: this.user,
      stopSignal: 'SIGINT',
    });
    this.process = child;
    await until(() => ping(this.url()), {
      what: `PostgreSQL on port ${this.port} (log: ${this.options.log})`,
      timeoutMs: 60_000,
      giveUp: () => (child.alive ? undefined : `PostgreSQL ended while it started; the end of ${this.options.log}:\n${child.said()}`),
    });
  }

  private settings(): string[] {
    return [
      `port=${this.port}`,
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      `max_connections=${this.options.maxConnections ?? 300}`,
      'logging_collector=off',
      'timezone=UTC',
      ...(this.options.fsync ? [] : ['fsync=off', 'full_page_writes=off', 'wal_level=minimal', 'max_wal_senders=0']),
      ...(this.options.settings ?? []),
    ];
  }

  /** Fast shutdown: sessions are ended, everything is written. */
  async stop(): Promise<void> {
    await this.process?.stop(20_000);
  }

  /** Lets the server go on when this process ends, and returns its pid: from now on somebody else answers for it. */
  release(): number {
    if (this.process === undefined) throw new Error('Bug: released a server that was never started');
    this.process.release();
    return this.process.pid;
  }

  /** SIGKILL to the server and all its sessions, as a crash would. */
  async kill(): Promise<void> {
    await this.process?.kill();
  }
}
