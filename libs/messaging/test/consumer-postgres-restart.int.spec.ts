import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { postgresBinaries } from '@tidegate/local-stack/postgres/binaries';
import { PostgresCluster } from '@tidegate/local-stack/postgres/postgres-cluster';
import { templateDataFolder } from '@tidegate/local-stack/postgres/template';
import { unprivilegedUser } from '@tidegate/local-stack/postgres/unprivileged-user';
import { freePort } from '@tidegate/local-stack/process/free-port';
import { eventually } from '@tidegate/test-harness/eventually';
import { messagingMigration } from './support/migration.js';
import { effectsOf, numbersByAggregate, recorder, upTo, World } from './support/world.js';

jest.setTimeout(90_000);

describe('When Postgres goes away while messages flow', () => {
  let cluster: PostgresCluster;
  let folder: string;
  let world: World;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tidegate-postgres-'));
    const user = unprivilegedUser();
    const template = await templateDataFolder(await postgresBinaries(user), user);
    cluster = await PostgresCluster.prepare({ folder, port: await freePort(), log: join(folder, 'postgres.log'), fsync: false, template });
    await cluster.start();
    await messagingMigration.run(cluster.url());
    world = await World.on({
      url: cluster.url(),
      urlFor: (role) => urlOf(cluster.url(), role),
      drop: () => Promise.resolve(),
      name: 'postgres',
    });
  });
  afterEach(async () => {
    await world.close();
    await cluster.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it('stops, and goes on by itself without loss or double', async () => {
    const payments = await world.owner('payments');
    const receipts = await world.member('receipts');
    for (const worker of ['a', 'b']) await world.subscribe(await world.member('receipts'), 'receipts-payments', recorder(worker));

    const confirmed: number[] = [];
    let refused = 0;
    let stopping = false;
    const traffic = (async () => {
      for (let n = 1; !stopping; n += 1) {
        // A commit whose answer was lost may have happened: such a number may arrive or not, and at most once.
        await payments.publish(`payment:pay_${n % 3}`, n).then(
          () => confirmed.push(n),
          () => (refused += 1),
        );
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    await eventually(() => expect(confirmed.length).toBeGreaterThan(40));
    await cluster.kill();
    await eventually(() => expect(refused).toBeGreaterThan(40));
    await cluster.start();
    const atReturn = confirmed.length;
    await eventually(() => expect(confirmed.length).toBeGreaterThan(atReturn + 40));
    stopping = true;
    await traffic;

    await eventually(
      async () => {
        const handled = (await effectsOf(receipts.db, 'receipts-payments')).map((effect) => effect.n);
        expect(confirmed.filter((n) => !handled.includes(n))).toEqual([]);
      },
      { timeoutMs: 20_000, everyMs: 200 },
    );
    const effects = await effectsOf(receipts.db, 'receipts-payments');
    expect(new Set(effects.map((effect) => effect.message_id)).size).toBe(effects.length);
    for (const numbers of Object.values(numbersByAggregate(effects))) expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(effects.map((effect) => effect.position).sort((a, b) => a - b)).toEqual(upTo(effects.length));
  });
});

function urlOf(adminUrl: string, role: string): string {
  const url = new URL(adminUrl);
  url.username = role;
  url.password = messagingMigration.passwordOf(role);
  return url.href;
}
