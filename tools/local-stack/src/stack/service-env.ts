import { join } from 'node:path';
import { repositoryRoot } from '../repository.js';
import { type Instance, instanceName } from './services.js';

/** What the processes of a stack need to find and trust each other. */
export interface StackAddresses {
  databaseUrl(role: string): string;
  natsUrl(user: string): string;
  stripe: StripeSettings;
  /** The simulator's clock; absent with real Stripe, which refuses to be hurried. */
  clockUrl?: string;
  /** Where people reach the gateway; absent where none runs. */
  publicUrl?: string;
}

export interface StripeSettings {
  /** Absent: the SDK's own, which is real Stripe. */
  apiBase?: string;
  secretKey: string;
  webhookSecret: string;
}

/** Variables by process: for all (`*`), for every replica of a service (`payments`), for one (`payments-2`); the narrower one wins. */
export type EnvOverrides = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface ServiceEnvRequest {
  instance: Instance;
  port: number;
  addresses: StackAddresses;
  /** The environment of whoever starts the stack: its settings of Tidegate reach the services, its addresses and credentials do not. */
  caller: NodeJS.ProcessEnv;
  overrides: EnvOverrides;
}

/** The environment of one service process; the only place where it is put together. */
export function serviceEnv({ instance, port, addresses, caller, overrides }: ServiceEnvRequest): NodeJS.ProcessEnv {
  const env = {
    ...withoutAddresses(caller),
    NODE_ENV: 'production',
    // A start takes a quarter less of a core when it need not compile.
    NODE_COMPILE_CACHE: join(repositoryRoot(), '.tidegate', 'compile-cache'),
    PORT: String(port),
    HOST: '127.0.0.1',
    REPLICA: String(instance.replica),
    DATABASE_URL: addresses.databaseUrl(instance.name),
    NATS_URL: addresses.natsUrl(instance.name),
    STRIPE_SECRET_KEY: addresses.stripe.secretKey,
    STRIPE_WEBHOOK_SECRET: addresses.stripe.webhookSecret,
    ...(addresses.stripe.apiBase === undefined ? {} : { STRIPE_API_BASE: addresses.stripe.apiBase }),
    ...(addresses.clockUrl === undefined ? {} : { TIDEGATE_CLOCK_URL: addresses.clockUrl }),
    ...(addresses.publicUrl === undefined ? {} : { PUBLIC_URL: addresses.publicUrl }),
    ...overrides['*'],
    ...overrides[instance.name],
    ...overrides[instanceName(instance)],
  };
  return onlyOwnFailpoints(env, instance.name);
}

const foreign =
  /^(STRIPE_(?!REQUEST_RATE_LIMIT|MAX_IN_FLIGHT|SLOW_CALL_MS)|DATABASE_URL|NATS_URL|NATS_SERVER_BIN|TIDEGATE_(?!FAILPOINT)|PORT$|HOST$|REPLICA$|NODE_OPTIONS$|NODE_ENV$|npm_|JEST_|SIMULATOR_)/;

/** The caller's environment without what would lead a process of this stack to another one's parts. */
export function withoutAddresses(caller: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(caller).filter(([name]) => !foreign.test(name)));
}

/** A service refuses names it does not know, and they begin with the name of theirs: each gets its own part of the list. */
function onlyOwnFailpoints(env: NodeJS.ProcessEnv, service: string): NodeJS.ProcessEnv {
  const own = (env['TIDEGATE_FAILPOINT'] ?? '').split(',').filter((entry) => entry.trim().startsWith(`${service}.`));
  const { TIDEGATE_FAILPOINT: _, ...rest } = env;
  return own.length === 0 ? rest : { ...rest, TIDEGATE_FAILPOINT: own.join(',') };
}
