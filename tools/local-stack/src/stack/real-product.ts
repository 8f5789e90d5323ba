import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type NatsPermissions } from '../nats-server/config-file.js';
import { run } from '../process/run.js';
import { nodeProgram, repositoryRoot } from '../repository.js';
import { StackError } from '../stack-error.js';
import { type Product } from './product.js';
import { serviceNames } from './services.js';

/**
 * Tidegate itself. The stack runs the product, and the product's own tests run on the stack: a static import would close that circle in the build graph.
 * Hence these few modules are named at run time only.
 */
export const realProduct: Product = productIn(repositoryRoot);

/** The product of another checkout, such as the version before: its programs and migrations. What its users may do at the broker is this version's to say. */
export const productOf = (root: string): Product => productIn(() => root);

function productIn(root: () => string): Product {
  return {
    program(name) {
      const file = join(root(), name === 'simulator' ? 'tools/stripe-simulator/dist' : `services/${name}/bundle`, 'main.js');
      if (!existsSync(file)) throw new StackError(`${file} is missing: run "npm run build".`);
      return file;
    },

    async migrate(adminUrl, password) {
      const { migrateAll } = await load<{
        migrateAll(adminUrl: string, options: { password(role: string): string; rootDir: string }): Promise<unknown>;
      }>('@tidegate/database/migrate');
      try {
        await migrateAll(adminUrl, { password, rootDir: root() });
      } catch (error) {
        if (!(error instanceof Error) || error.name !== 'ChangedMigration') throw error;
        throw new StackError(`${error.message}. Where the data need not be kept, "npm run reset" starts afresh.`);
      }
    },

    async natsPermissions(service) {
      const { natsPermissions } = await load<{ natsPermissions(service: string): NatsPermissions }>('@tidegate/messaging/topology');
      return natsPermissions(service);
    },

    async failpoints() {
      const { messagingFailpoints } = await load<{ messagingFailpoints(service: string): string[] }>(
        '@tidegate/messaging/messaging-failpoints',
      );
      const withOwn = serviceNames.filter((name) => existsSync(join(repositoryRoot(), 'services', name, 'dist', 'failpoints.js')));
      const lists = await Promise.all(withOwn.map((name) => load<{ FAILPOINTS: readonly string[] }>(`@tidegate/${name}/failpoints`)));
      return [...lists.flatMap(({ FAILPOINTS }) => FAILPOINTS), ...serviceNames.flatMap(messagingFailpoints)].sort();
    },

    async webhookEvents() {
      const { HANDLED_EVENT_TYPES } = await load<{ HANDLED_EVENT_TYPES: readonly string[] }>('@tidegate/contracts/handled-event-types');
      return HANDLED_EVENT_TYPES;
    },

    async createTenantsAndKeys(databaseUrl) {
      const { ALL_SCOPES } = await load<{ ALL_SCOPES: readonly string[] }>('@tidegate/gateway/api-key/scopes');
      const [main, other] = await Promise.all([
        createKey(root(), databaseUrl, 'default', ALL_SCOPES),
        createKey(
          root(),
          databaseUrl,
          'other',
          ALL_SCOPES.filter((scope) => scope !== 'ops'),
        ),
      ]);
      return { default: main, other };
    },
  };
}

async function createKey(root: string, databaseUrl: string, tenant: string, scopes: readonly string[]): Promise<string> {
  await admin(root, databaseUrl, ['create-tenant', tenant]);
  const { key } = JSON.parse(await admin(root, databaseUrl, ['create-key', '--tenant', tenant, '--scopes', scopes.join(',')])) as {
    key: string;
  };
  return key;
}

/** The gateway's own commands for what needs the database, because no key exists before the first one. */
function admin(root: string, databaseUrl: string, args: readonly string[]): Promise<string> {
  const program = join(root, 'services', 'gateway', 'dist', 'admin.js');
  return run(nodeProgram(), [program, ...args], {
    env: { PATH: process.env['PATH'], DATABASE_URL: databaseUrl },
    timeoutMs: 30_000,
    stdoutOnly: true,
  });
}

async function load<Module>(specifier: string): Promise<Module> {
  try {
    return (await import(specifier)) as Module;
  } catch (error) {
    throw new StackError(`${specifier} could not be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
}
