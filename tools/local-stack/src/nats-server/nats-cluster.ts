import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../process/free-port.js';
import { ManagedProcess } from '../process/managed-process.js';
import { until } from '../process/until.js';
import { repositoryRoot } from '../repository.js';
import { StackError } from '../stack-error.js';
import { type NatsUser } from './config-file.js';

export interface NatsClusterOptions {
  /** See `findNatsServer`. */
  program: string;
  /** Holds a folder per server. */
  folder: string;
  log: string;
  /** Names and passwords; what each may do stands in `deploy/nats/accounts.conf`. */
  users: readonly Pick<NatsUser, 'user' | 'password'>[];
}

interface Member {
  name: string;
  port: number;
  monitor: number;
  route: number;
  store: string;
  process: ManagedProcess | undefined;
}

const SIZE = 3;
const CONFIGURATION = join('deploy', 'nats', 'nats-server.conf');

/** Three servers of one cluster as processes on the loopback address, with the very configuration that `deploy/` ships. */
export class NatsCluster {
  private constructor(
    private readonly options: NatsClusterOptions,
    private readonly members: readonly Member[],
    private readonly routePassword = `r${randomBytes(12).toString('hex')}`,
  ) {}

  /** Chooses ports; starts nothing. */
  static async prepare(options: NatsClusterOptions): Promise<NatsCluster> {
    const members: Member[] = [];
    for (let n = 1; n <= SIZE; n += 1) {
      const name = `nats-${n}`;
      const [port, monitor, route] = [await freePort(), await freePort(), await freePort()];
      members.push({ name, port, monitor, route, store: join(options.folder, name), process: undefined });
    }
    return new NatsCluster(options, members);
  }

  get port(): number {
    return this.members[0]?.port ?? 0;
  }

  /** Of the first server; undefined while it is down. */
  get pid(): number | undefined {
    return this.servers()[0]?.pid;
  }

  /** Folder of the stores of all servers. */
  get store(): string {
    return this.options.folder;
  }

  servers(): { name: string; port: number; pid: number | undefined; store: string }[] {
    return this.members.map(({ name, port, store, process }) => ({
      name,
      port,
      store,
      pid: process?.alive === true ? process.pid : undefined,
    }));
  }

  /** All servers, with the credentials of a user. Throws when there is no such user. */
  url(user: string): string {
    const found = this.options.users.find((one) => one.user === user);
    if (found === undefined) throw new Error(`Bug: no NATS user ${user}`);
    return this.members.map(({ port }) => `nats://${found.user}:${found.password}@127.0.0.1:${port}`).join(',');
  }

  /** Starts those that are down and waits until every server has caught up with its cluster. */
  async start(): Promise<void> {
    for (const member of this.members) await this.launch(member);
    await Promise.all(this.members.map((member) => this.healthy(member)));
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map(async ({ process }) => process?.stop(10_000)));
  }

  /** SIGKILL to all. */
  async kill(): Promise<void> {
    await Promise.all(this.members.map(async ({ process }) => process?.kill()));
  }

  /** SIGKILL to one, 1 to 3. */
  async killOne(n: number): Promise<void> {
    await this.member(n).process?.kill();
  }

  /** Starts one again and waits until it has caught up. */
  async startOne(n: number): Promise<void> {
    await this.launch(this.member(n));
    await this.healthy(this.member(n));
  }

  /** 1 to 3: which server leads a stream; null while none does. */
  async leaderOf(stream: string): Promise<number | null> {
    for (const { process, monitor } of this.members) {
      if (process?.alive !== true) continue;
      const answer = await fetch(`http://127.0.0.1:${monitor}/jsz?streams=true&accounts=true`).catch(() => null);
      if (answer?.ok !== true) continue;
      const found = leaderIn((await answer.json()) as JetStreamReport, stream);
      if (found !== undefined) return this.members.findIndex(({ name }) => name === found) + 1;
    }
    return null;
  }

  /** Deletes the stores of servers that are all down. */
  wipe(): void {
    if (this.servers().some(({ pid }) => pid !== undefined)) throw new Error('Bug: wiped the store of a nats-server that runs');
    for (const { store } of this.members) rmSync(store, { recursive: true, force: true });
  }

  private member(n: number): Member {
    const found = this.members[n - 1];
    if (found === undefined) throw new Error(`Bug: there is no server ${n}`);
    return found;
  }

  private async launch(member: Member): Promise<void> {
    if (member.process?.alive === true) return;
    mkdirSync(member.store, { recursive: true, mode: 0o700 });
    member.process = await ManagedProcess.start({
      name: member.name,
      command: this.options.program,
      args: ['-c', join(repositoryRoot(), CONFIGURATION)],
      env: this.environmentOf(member),
      cwd: member.store,
      log: this.options.log,
      stopSignal: 'SIGTERM',
    });
  }

  private environmentOf({ name, port, monitor, route, store }: Member): NodeJS.ProcessEnv {
    const others = this.members.filter((other) => other.name !== name);
    return {
      ...(process.env['PATH'] === undefined ? {} : { PATH: process.env['PATH'] }),
      TZ: 'UTC',
      NATS_SERVER_NAME: name,
      NATS_LISTEN: `127.0.0.1:${port}`,
      NATS_MONITOR: `127.0.0.1:${monitor}`,
      NATS_CLUSTER_LISTEN: `127.0.0.1:${route}`,
      NATS_ROUTES: JSON.stringify(others.map((other) => `nats://route:${this.routePassword}@127.0.0.1:${other.route}`)),
      NATS_ROUTE_PASSWORD: this.routePassword,
      NATS_STORE: JSON.stringify(store),
      ...Object.fromEntries(
        this.options.users.map(({ user, password }) => [`NATS_${user.toUpperCase()}_PASSWORD`, JSON.stringify(password)]),
      ),
    };
  }

  private healthy({ name, monitor, process }: Member): Promise<void> {
    return until(
      async () => {
        const answer = await fetch(`http://127.0.0.1:${monitor}/healthz`);
        if (!answer.ok) throw new StackError(`${name} says ${await answer.text()}`);
      },
      {
        what: `${name} (log: ${this.options.log})`,
        timeoutMs: 60_000,
        everyMs: 50,
        giveUp: () =>
          process?.alive === true ? undefined : `${name} ended while it started; the end of ${this.options.log}:\n${process?.said() ?? ''}`,
      },
    );
  }
}

interface JetStreamReport {
  account_details?: { stream_detail?: { name: string; cluster?: { leader?: string } }[] }[];
}

const leaderIn = ({ account_details = [] }: JetStreamReport, stream: string): string | undefined =>
  account_details.flatMap(({ stream_detail = [] }) => stream_detail).find(({ name }) => name === stream)?.cluster?.leader || undefined;
