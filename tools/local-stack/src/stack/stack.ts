import { join } from 'node:path';
import { NatsCluster } from '../nats-server/nats-cluster.js';
import { type NatsServer } from '../nats-server/nats-server.js';
import { type PostgresCluster } from '../postgres/postgres-cluster.js';
import { type Exit, tailOf } from '../process/managed-process.js';
import { type ListedProcess } from './process-list.js';
import { type Progress } from './progress.js';
import { type ApiKeys } from './secrets.js';
import { type ServiceProcess } from './service-process.js';
import { type Instance, type ServiceName, instanceName } from './services.js';

/** Everything that `startStack` has put together. */
export interface StackParts {
  dir: string;
  postgres: PostgresCluster;
  nats: NatsServer | NatsCluster;
  /** undefined with real Stripe. */
  simulator: ServiceProcess | undefined;
  services: ReadonlyMap<string, { instance: Instance; port: number; process: ServiceProcess }>;
  simulatorPort: number;
  databaseUrl: (role?: string) => string;
  keys: ApiKeys | undefined;
  stripe: { apiBase: string | undefined; secretKey: string; webhookSecret: string };
  progress: Progress;
  restartCrashed: boolean;
  /** Called whenever a pid has changed. */
  onChange: (stack: Stack) => void;
}

/** A running Tidegate with its database, broker and Stripe: what `npm start` shows and what end-to-end tests torment. */
export class Stack {
  private stopping: Promise<void> | undefined;

  constructor(private readonly parts: StackParts) {}

  get dir(): string {
    return this.parts.dir;
  }

  /** Base URLs: of every replica of a service, and of Stripe's API as the services see it. */
  get urls(): Record<ServiceName, string[]> & { simulator: string } {
    const of = (name: ServiceName) =>
      [...this.parts.services.values()].filter((one) => one.instance.name === name).map((one) => one.process.spec.url);
    return {
      gateway: of('gateway'),
      webhooks: of('webhooks'),
      payments: of('payments'),
      reconciliation: of('reconciliation'),
      receipts: of('receipts'),
      simulator: this.parts.stripe.apiBase ?? 'https://api.stripe.com',
    };
  }

  /** The gateway's API keys: `default` has all scopes, `other` is another tenant's. Throws when the stack was started without them. */
  get keys(): ApiKeys {
    if (this.parts.keys === undefined) throw new Error('Bug: this stack was started without API keys');
    return this.parts.keys;
  }

  get hasKeys(): boolean {
    return this.parts.keys !== undefined;
  }

  get stripe(): StackParts['stripe'] {
    return this.parts.stripe;
  }

  /** The database: of the administrator, or of the login role of a service. */
  databaseUrl(role?: string): string {
    return this.parts.databaseUrl(role);
  }

  /** The broker, with the credentials of `admin` (may do everything) or of a service. */
  natsUrl(user = 'admin'): string {
    return this.parts.nats.url(user);
  }

  /** Folder of the JetStream store. */
  get natsStore(): string {
    return this.parts.nats.store;
  }

  /** The broker as a cluster. Throws when the stack was started with one server. */
  get natsCluster(): NatsCluster {
    if (!(this.parts.nats instanceof NatsCluster)) throw new Error('Bug: this stack was started without `natsCluster`');
    return this.parts.nats;
  }

  /** Every process, as `stack.json` shows it. */
  processes(): ListedProcess[] {
    const { postgres, nats, simulator, simulatorPort, services, dir } = this.parts;
    const log = (name: string) => join(dir, 'logs', `${name}-1.log`);
    return [
      {
        name: 'postgres',
        replica: 1,
        pid: postgres.pid ?? null,
        port: postgres.port,
        url: `postgres://127.0.0.1:${postgres.port}`,
        log: log('postgres'),
        data_dir: join(postgres.folder, 'data'),
      },
      ...(nats instanceof NatsCluster ? nats.servers() : [nats]).map(({ port, pid, store }, index) => ({
        name: 'nats',
        replica: index + 1,
        pid: pid ?? null,
        port,
        url: `nats://127.0.0.1:${port}`,
        log: log('nats'),
        data_dir: store,
      })),
      ...(simulator === undefined
        ? []
        : [
            {
              name: 'simulator',
              replica: 1,
              pid: simulator.pid ?? null,
              port: simulatorPort,
              url: simulator.spec.url,
              log: simulator.spec.log,
              data_dir: null,
            },
          ]),
      ...[...services.values()].map(({ instance, port, process }) => ({
        ...instance,
        pid: process.pid ?? null,
        port,
        url: process.spec.url,
        log: process.spec.log,
        data_dir: null,
      })),
    ];
  }

  /** The pid of a replica; undefined while it is down. */
  pid(name: ServiceName | 'simulator', replica = 1): number | undefined {
    return this.process(name, replica).pid;
  }

  /** Sends a signal that ends it (SIGKILL unless told otherwise) and resolves with how it ended. It stays down until `restart`. */
  async kill(name: ServiceName | 'simulator', replica = 1, signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit | undefined> {
    const exit = await this.process(name, replica).kill(signal);
    this.parts.onChange(this);
    return exit;
  }

  /** Sends a signal that does not end it, such as SIGSTOP or SIGCONT. */
  signal(name: ServiceName | 'simulator', replica: number, signal: NodeJS.Signals): void {
    this.process(name, replica).signal(signal);
  }

  /** Resolves with how a replica ended, when it ends on its own, as by a failpoint. */
  async exited(name: ServiceName | 'simulator', replica = 1): Promise<Exit> {
    return this.process(name, replica).exited();
  }

  /** Starts a replica that is down, or stops and starts it, and waits until it is ready. Without `extraEnv` it runs as at first, but without failpoints. */
  async restart(name: ServiceName | 'simulator', replica = 1, extraEnv: Readonly<Record<string, string>> = {}): Promise<void> {
    const process = this.process(name, replica);
    await process.stop();
    const { TIDEGATE_FAILPOINT: _, ...env } = process.spec.env;
    await process.launch({ ...env, ...extraEnv });
    this.parts.onChange(this);
    await process.ready();
  }

  /** Stops a replica in good order and starts the program of another version in its place, on its port. */
  async deploy(name: ServiceName, replica: number, program: string): Promise<void> {
    this.process(name, replica).runFromNowOn(program);
    await this.restart(name, replica);
  }

  /** Fast shutdown of the database. */
  async stopPostgres(): Promise<void> {
    await this.parts.postgres.stop();
    this.parts.onChange(this);
  }

  /** SIGKILL to the database. */
  async killPostgres(): Promise<void> {
    await this.parts.postgres.kill();
    this.parts.onChange(this);
  }

  async startPostgres(): Promise<void> {
    await this.parts.postgres.start();
    this.parts.onChange(this);
  }

  async restartPostgres(): Promise<void> {
    await this.stopPostgres();
    await this.startPostgres();
  }

  /** SIGKILL to the broker; the services live on. */
  async killNats(): Promise<void> {
    await this.parts.nats.kill();
    this.parts.onChange(this);
  }

  /** SIGTERM to the broker. */
  async stopNats(): Promise<void> {
    await this.parts.nats.stop();
    this.parts.onChange(this);
  }

  /** On its port of before. */
  async startNats(): Promise<void> {
    await this.parts.nats.start();
    this.parts.onChange(this);
  }

  /** Deletes the store of a broker that is down. */
  wipeNats(): void {
    this.parts.nats.wipe();
  }

  /** Stops everything in order: services, simulator, broker, database. A second call waits for the first. */
  stop(): Promise<void> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  /** SIGKILL to everything at once. */
  async killAll(): Promise<void> {
    this.stopping ??= Promise.resolve();
    const { services, simulator, nats, postgres } = this.parts;
    await Promise.all([
      ...[...services.values()].map((one) => one.process.kill('SIGKILL')),
      simulator?.kill('SIGKILL'),
      nats.kill(),
      postgres.kill(),
    ]);
  }

  /** To be called by whoever supervises a process that ended without being told to. */
  async onCrash(crashed: ServiceProcess, exit: Exit): Promise<void> {
    if (this.stopping !== undefined) return;
    const { progress, restartCrashed, onChange } = this.parts;
    onChange(this);
    progress.say(
      `✗ ${crashed.spec.name} ended unexpectedly (${exit.signal ?? `code ${exit.code}`}); the end of ${crashed.spec.log}:\n${tailOf(crashed.spec.log, 5)}`,
    );
    if (!restartCrashed) return;
    const { TIDEGATE_FAILPOINT: _, ...env } = crashed.spec.env;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    if (this.stopping !== undefined || crashed.pid !== undefined) return;
    await crashed.launch(env);
    onChange(this);
    progress.say(`✓ ${crashed.spec.name} was started again (process ${crashed.pid})`);
  }

  private async stopAll(): Promise<void> {
    const { services, simulator, nats, postgres, onChange } = this.parts;
    await Promise.all([...services.values()].map((one) => one.process.stop()));
    await simulator?.stop();
    await nats.stop();
    await postgres.stop();
    onChange(this);
  }

  private process(name: ServiceName | 'simulator', replica: number): ServiceProcess {
    const found = name === 'simulator' ? this.parts.simulator : this.parts.services.get(instanceName({ name, replica }))?.process;
    if (found === undefined) throw new Error(`Bug: this stack has no ${instanceName({ name, replica })}`);
    return found;
  }
}
