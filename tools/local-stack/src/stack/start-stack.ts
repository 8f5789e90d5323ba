import { join } from 'node:path';
import { findNatsServer } from '../nats-server/find-nats-server.js';
import { type NatsUser } from '../nats-server/config-file.js';
import { NatsCluster } from '../nats-server/nats-cluster.js';
import { NatsServer } from '../nats-server/nats-server.js';
import { postgresBinaries } from '../postgres/binaries.js';
import { query } from '../postgres/ping.js';
import { PostgresCluster } from '../postgres/postgres-cluster.js';
import { templateDataFolder } from '../postgres/template.js';
import { unprivilegedUser } from '../postgres/unprivileged-user.js';
import { nodeProgram, repositoryRoot } from '../repository.js';
import { StackError } from '../stack-error.js';
import { type Ports, freePorts, portsFromBase } from './ports.js';
import { type Product } from './product.js';
import { type Progress, silent } from './progress.js';
import { realProduct } from './real-product.js';
import { type ApiKeys, type Secrets, saveSecrets, secretsIn } from './secrets.js';
import { type EnvOverrides, type StackAddresses, serviceEnv, withoutAddresses } from './service-env.js';
import { ServiceProcess } from './service-process.js';
import { type Instance, instanceName, instancesOf, serviceNames } from './services.js';
import { type StackOptions } from './stack-options.js';
import { Stack, type StackParts } from './stack.js';
import { writeStackFiles } from './stack-files.js';
import { makeStackFolder } from './stack-folder.js';

const databaseName = 'tidegate';
/**
 * As many background threads of V8 as the machine has other cores, instead of four: on two cores these took both while they collected garbage, and each such time made whoever waited wait 40 ms.
 */
const THREADS_OF_THE_MACHINE = '--v8-pool-size=0';
/**
 * As V8 sizes a heap by itself in the container that deploy/ gives the service. By the memory of a larger machine it would let the garbage of a long run pile up to
 * several hundred MB, of which some 70 are in use.
 */
const HEAPS: Readonly<Record<string, readonly string[]>> = { reconciliation: ['--max-old-space-size=256', '--max-semi-space-size=8'] };

/**
 * Starts the database, the broker, the simulator and every service as processes of their own, and resolves when all are ready. When a part fails, what
 * had been started is stopped again and the StackError names the part with the end of its log.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { dir, progress = silent, product = realProduct, caller = process.env } = options;
  makeStackFolder(dir);
  const instances = instancesOf(options.replicas ?? {}).filter((one) => (options.services ?? serviceNames).includes(one.name));
  const ports = options.portBase === undefined ? await freePorts(instances) : await portsFromBase(options.portBase, instances);
  const secrets = secretsIn(dir);
  const starting = new Starting(options, { dir, progress, product, caller, instances, ports, secrets });
  try {
    return await Promise.race([starting.run(), rejectOnAbort(options.signal)]);
  } catch (error) {
    await starting.undo();
    throw error;
  }
}

interface Settled {
  dir: string;
  progress: Progress;
  product: Product;
  caller: NodeJS.ProcessEnv;
  instances: readonly Instance[];
  ports: Ports;
  secrets: Secrets;
}

/** The steps of one start, and what they have started so far. */
class Starting {
  private readonly undoing: (() => Promise<unknown>)[] = [];
  private stack: Stack | undefined;

  constructor(
    private readonly options: StackOptions,
    private readonly settled: Settled,
  ) {}

  async run(): Promise<Stack> {
    const { progress, product, secrets } = this.settled;
    this.options.signal?.throwIfAborted();
    const [postgres, nats] = await progress.step('PostgreSQL and NATS', () => this.startStores());
    const databaseUrl = (role?: string) => urlOf(postgres, role === undefined ? undefined : { role, password: secrets.roles[role] ?? '' });
    await progress.step('Database schema', async () => {
      await createDatabase(postgres);
      await product.migrate(databaseUrl(), (role) => secrets.roles[role] ?? role);
    });
    const stripe = this.options.stripe ?? {
      apiBase: `http://127.0.0.1:${this.settled.ports.simulator}`,
      secretKey: secrets.stripeSecretKey,
      webhookSecret: secrets.stripeWebhookSecret,
    };
    const simulator = this.options.stripe === undefined ? this.simulator(stripe, await product.webhookEvents()) : undefined;
    const keys = await progress.step(simulator === undefined ? 'API keys' : 'Stripe simulator and API keys', () =>
      this.launchSimulator(simulator, databaseUrl()),
    );
    const addresses: StackAddresses = {
      databaseUrl,
      natsUrl: (user) => nats.url(user),
      stripe,
      ...(simulator === undefined ? {} : { clockUrl: `${simulator.spec.url}/__clock` }),
      ...(this.settled.ports.services.has('gateway-1')
        ? { publicUrl: `http://127.0.0.1:${this.settled.ports.services.get('gateway-1')}` }
        : {}),
    };
    const services = this.services(addresses);
    await progress.step(`Services: ${[...services.keys()].join(', ')}`, () =>
      this.launch([...services.values()].map((one) => one.process)),
    );
    const failpoints = await product.failpoints();
    this.stack = new Stack({
      ...this.common(failpoints),
      postgres,
      nats,
      simulator,
      services,
      databaseUrl,
      keys,
      stripe: { apiBase: undefined, ...stripe },
    });
    writeStackFiles(this.stack, failpoints);
    return this.stack;
  }

  /** Stops, last started first, what runs when a step has failed. */
  async undo(): Promise<void> {
    for (const stop of this.undoing.reverse()) await stop().catch(() => undefined);
  }

  private common(failpoints: readonly string[]): Pick<StackParts, 'dir' | 'progress' | 'restartCrashed' | 'simulatorPort' | 'onChange'> {
    const { dir, progress, ports } = this.settled;
    return {
      dir,
      progress,
      restartCrashed: this.options.restartCrashed === true,
      simulatorPort: ports.simulator,
      onChange: (stack) => writeStackFiles(stack, failpoints),
    };
  }

  private startStores(): Promise<[PostgresCluster, NatsServer | NatsCluster]> {
    return Promise.all([this.startPostgres(), this.startNats()]);
  }

  private async startPostgres(): Promise<PostgresCluster> {
    const { dir, ports } = this.settled;
    const { fsync, postgresSettings = [] } = this.options;
    const user = unprivilegedUser();
    const binaries = await postgresBinaries(user);
    const cluster = await PostgresCluster.prepare({
      folder: join(dir, 'postgres'),
      port: ports.postgres,
      log: this.log('postgres-1'),
      fsync,
      binaries,
      ...(fsync ? {} : { template: await templateDataFolder(binaries, user) }),
      // A database that lives for minutes would else be planned without statistics for most of them.
      settings: [...(fsync ? [] : ['autovacuum_naptime=5s']), ...postgresSettings],
    });
    this.undoing.push(() => cluster.stop());
    await cluster.start();
    return cluster;
  }

  private async startNats(): Promise<NatsServer | NatsCluster> {
    const { dir, ports, progress } = this.settled;
    const common = {
      program: await findNatsServer({ say: progress.say }),
      folder: join(dir, 'nats'),
      log: this.log('nats-1'),
      users: await this.natsUsers(),
    };
    const server =
      this.options.natsCluster === true
        ? await NatsCluster.prepare(common)
        : await NatsServer.prepare({ ...common, port: ports.nats, syncAlways: this.options.fsync });
    this.undoing.push(() => server.stop());
    await server.start();
    return server;
  }

  private async natsUsers(): Promise<NatsUser[]> {
    const { secrets, product } = this.settled;
    const users = serviceNames.map(async (name): Promise<NatsUser> => {
      const permissions = await product.natsPermissions(name);
      return { user: name, password: secrets.nats[name] ?? '', ...(permissions === undefined ? {} : { permissions }) };
    });
    const password = secrets.nats['admin'] ?? '';
    return [
      ...(await Promise.all(users)),
      { user: 'admin', password },
      ...(this.options.natsCluster === true ? [{ user: 'sys', password }] : []),
    ];
  }

  private async launchSimulator(simulator: ServiceProcess | undefined, adminUrl: string): Promise<ApiKeys | undefined> {
    const [keys] = await Promise.all([
      this.options.withoutApiKeys === true ? undefined : this.apiKeys(adminUrl),
      simulator === undefined ? undefined : this.launch([simulator]),
    ]);
    return keys;
  }

  private async apiKeys(adminUrl: string): Promise<ApiKeys> {
    const { dir, secrets, product } = this.settled;
    const [marked] = await query<{ marker: string | null }>(
      adminUrl,
      `select shobj_description(oid, 'pg_database') as marker from pg_database where datname = current_database()`,
    );
    // The keys are kept here and their hashes there: a database that does not know that they were made for it needs new ones.
    if (secrets.apiKeys !== undefined && marked?.marker === 'keys created') return secrets.apiKeys;
    const keys = await product.createTenantsAndKeys(adminUrl);
    saveSecrets(dir, { ...secrets, apiKeys: keys });
    await query(adminUrl, `comment on database ${databaseName} is 'keys created'`);
    return keys;
  }

  private simulator(stripe: { secretKey: string; webhookSecret: string }, webhookEvents: readonly string[]): ServiceProcess {
    const { dir, ports, product, caller } = this.settled;
    const webhooks = ports.services.get('webhooks-1');
    return this.process('simulator', [product.program('simulator')], ports.simulator, {
      ...withoutAddresses(caller),
      PORT: String(ports.simulator),
      STRIPE_SECRET_KEY: stripe.secretKey,
      STRIPE_WEBHOOK_SECRET: stripe.webhookSecret,
      SIMULATOR_STATE: join(dir, 'simulator.json'),
      ...(webhooks === undefined
        ? {}
        : { STRIPE_WEBHOOK_URL: `http://127.0.0.1:${webhooks}/webhooks/stripe`, STRIPE_WEBHOOK_EVENTS: webhookEvents.join(',') }),
      ...this.options.env?.['simulator'],
    });
  }

  private services(addresses: StackAddresses): Map<string, { instance: Instance; port: number; process: ServiceProcess }> {
    const { instances, ports, product, caller } = this.settled;
    const overrides = withFailpoints(this.options);
    const replicated = this.options.natsCluster === true ? { NATS_STREAM_REPLICAS: '3' } : {};
    return new Map(
      instances.map((instance) => {
        const name = instanceName(instance);
        const port = ports.services.get(name) ?? 0;
        const env = { ...serviceEnv({ instance, port, addresses, caller, overrides }), ...replicated };
        const flags = [THREADS_OF_THE_MACHINE, ...(HEAPS[instance.name] ?? [])];
        return [name, { instance, port, process: this.process(name, [...flags, product.program(instance.name)], port, env) }];
      }),
    );
  }

  private process(name: string, args: string[], port: number, env: NodeJS.ProcessEnv): ServiceProcess {
    const readyPath = name === 'simulator' ? '/healthz' : '/readyz';
    return new ServiceProcess(
      {
        name,
        command: [nodeProgram(), ...args],
        cwd: repositoryRoot(),
        log: this.log(name === 'simulator' ? 'simulator-1' : name),
        url: `http://127.0.0.1:${port}`,
        readyPath,
        env,
      },
      (crashed, exit) => void this.stack?.onCrash(crashed, exit),
    );
  }

  private async launch(processes: readonly ServiceProcess[]): Promise<void> {
    for (const process of processes) {
      this.options.signal?.throwIfAborted();
      this.undoing.push(() => process.stop(5000));
      await process.launch();
    }
    await Promise.all(processes.map((process) => process.ready()));
  }

  private log(name: string): string {
    return join(this.settled.dir, 'logs', `${name}.log`);
  }
}

function rejectOnAbort(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) =>
    signal?.addEventListener('abort', () => reject(new StackError('Stopped while starting.')), { once: true }),
  );
}

async function createDatabase(postgres: PostgresCluster): Promise<void> {
  const found = await query(postgres.url(), 'select 1 from pg_database where datname = $1', [databaseName]);
  if (found.length === 0) await query(postgres.url(), `create database ${databaseName} template template0`);
}

function urlOf(postgres: PostgresCluster, login?: { role: string; password: string }): string {
  const url = new URL(postgres.url(databaseName));
  if (login !== undefined) {
    url.username = login.role;
    url.password = login.password;
  }
  return url.href;
}

function withFailpoints({ env = {}, failpoints = {} }: StackOptions): EnvOverrides {
  const merged: Record<string, Readonly<Record<string, string>>> = { ...env };
  for (const [name, value] of Object.entries(failpoints)) merged[name] = { ...merged[name], TIDEGATE_FAILPOINT: value };
  return merged;
}
