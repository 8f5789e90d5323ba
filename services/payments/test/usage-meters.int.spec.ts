import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { type StaleCounterView } from '@tidegate/contracts/usage';
import { sql } from 'kysely';
import { type UsageWorld, usageWorld } from './usage-world.js';

jest.setTimeout(60_000);

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let world: UsageWorld;
beforeAll(async () => {
  world = await usageWorld();
});
afterAll(() => world?.close());

const ago = (ms: number) => new Date(world.clock.now().getTime() - ms).toISOString();

describe('Reports', () => {
  it.each([
    ['was never there', null, '7'],
    ['counts events and was taken away', 'count', '2'],
  ] as const)(
    'to a meter that %s are tried ever more rarely, and given up aloud once they can no longer be billed',
    async (_which, formula, lost) => {
      const customer = await world.customer();
      const meter = formula === null ? `meter_never_${Date.now()}` : await world.meter(formula);
      if (formula !== null) {
        await world.record([{ customer: await world.customer(), meter }]);
        await world.reported();
        await world.stripe(`billing/meters/${world.simulator.world.meters.by('event_name', meter)[0]?.id}/deactivate`, {});
        world.advance(HOUR_MS);
      }
      await world.record([
        { customer, meter, value: 3, at: ago(34 * DAY_MS) },
        { customer, meter, value: 4, at: ago(34 * DAY_MS) },
      ]);
      const counter = async () =>
        (
          await sql<{ attempt: number; waits_for: string | null; lost: string; is_due: boolean }>`
        SELECT attempt, waits_for, trim_scale(lost)::text AS lost, due_at IS NOT NULL AS is_due FROM usage_counters WHERE customer = ${customer}`.execute(
            world.db,
          )
        ).rows[0];
      const expired = async () =>
        (await world.metric('usage_reports_total', 'result="expired"')).reduce<number>((sum, n) => sum + (n ?? 0), 0);
      const before = await expired();
      await world.reported(22 * HOUR_MS);
      const waiting = await counter();
      expect(waiting).toMatchObject({ waits_for: 'no_meter', lost: '0', is_due: true });
      expect(waiting?.attempt).toBeLessThan(35);
      await world.reported(5 * HOUR_MS);
      expect(await counter()).toEqual({ attempt: 0, waits_for: null, lost, is_due: false });
      expect((await expired()) - before).toBe(formula === 'count' ? 2 : 1);
      expect(
        await world.usage(customer, {
          from: new Date(world.clock.now().getTime() - 37 * DAY_MS).toISOString().slice(0, 13) + ':00:00.000Z',
        }),
      ).toMatchObject([{ value: formula === 'count' ? '2' : '7', unreported: 0 }]);
      const stale = world.json<{ data: StaleCounterView[] }>(await world.send(RPC.operatorUsageStale, { query: {} }));
      expect(stale.data.filter((one) => one.customer === customer)).toMatchObject([{ reason: 'expired' }]);
      await sql`DELETE FROM usage_counters WHERE meter = ${meter}`.execute(world.db);
    },
  );
});
