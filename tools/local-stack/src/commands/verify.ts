import { type Check } from '../checks/check.js';
import { jestCheck } from '../checks/jest.check.js';
import { supplyChainCheck } from '../checks/supply-chain.check.js';
import { generators, rewriteGenerated } from '../generated.js';
import { rewriteRenderedChart } from '../deploy/render-chart.js';
import { findOldestNatsServer } from '../nats-server/find-nats-server.js';
import { needKit } from '../programs/find-kit.js';
import { oldestVersion } from '../nats-server/releases.js';
import { debianPostgres } from '../postgres/debian-postgres.js';
import { fullSuite, runAll } from './test.js';

const say = (line: string) => console.log(line);

/** Specs whose name says that they depend on what the broker does with streams, consumers and its store. */
const brokerSpecs = '(topology|consume|consumer|wipe|tail-loss|relay|inbox|lane|nats)[^/]*\\.spec';
/** Of the long ones only those of a single server: a cluster runs the configuration of `deploy/`, which is for newer ones. */
const lostStores = '(wipe|tail-loss)[^/]*\\.spec';

/** `npm run verify`: rewrites generated files, then all of `npm test`, from a seed of its own, and what takes too long for it or needs the network: the supply chain, the oldest supported broker and database. */
export async function verify(args: readonly string[]): Promise<number> {
  await rewriteGenerated(generators());
  await rewriteRenderedChart(say);
  say('✓ Generated files rewritten');
  const seed = process.env['TIDEGATE_SEED'] ?? String(Math.floor(Math.random() * 2 ** 31));
  say(`Seed ${seed} (TIDEGATE_SEED=${seed} repeats it)`);
  // Found within seconds from now on, by npm test, too.
  for (const kit of ['prometheus', 'alertmanager', 'jaeger'] as const) await needKit(kit, { say });
  return runAll(async (env) => [
    ...fullSuite({ ...env, TIDEGATE_SEED: seed }, args),
    supplyChainCheck(),
    jestCheck({ name: 'Long tests', project: 'long', env, args, say }),
    ...(await onOldestNats(env)),
    await onDebianPostgres(env),
  ]);
}

async function onOldestNats(env: NodeJS.ProcessEnv): Promise<Check[]> {
  const program = await findOldestNatsServer({ say });
  const check = (project: 'int' | 'long', name: string, specs: string): Check =>
    jestCheck({
      name: `${name} on nats-server ${oldestVersion}`,
      project,
      env: { ...env, NATS_SERVER_BIN: program },
      args: ['--testPathPatterns', specs],
      say,
    });
  return [check('int', 'Broker tests', brokerSpecs), check('long', 'Lost stores', lostStores)];
}

async function onDebianPostgres(env: NodeJS.ProcessEnv): Promise<Check> {
  const { bin, major } = await debianPostgres();
  return jestCheck({
    name: `Integration tests on Debian's PostgreSQL ${major}`,
    project: 'int',
    env: { ...env, TIDEGATE_TEST_POSTGRES_BIN: bin },
    say,
  });
}
