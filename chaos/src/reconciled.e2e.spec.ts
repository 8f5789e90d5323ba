import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Arena, openArena } from './arena.js';
import { cleanUnderTraffic } from './clean-runs.js';
import { STATE_NAMES } from './every-state.js';
import { type Day, history } from './history.js';
import { lateUsage } from './late-usage.js';
import { randomFrom, seedOfThisRun } from './seed.js';

/** Payouts take two days to become available. */
const DAYS: readonly Day[] = [
  { stories: 8 },
  { stories: 3, away: 30, killed: 'payments' },
  { stories: 4, paysOut: true, replayed: 'reconciliation-payments' },
];

describe('Reconciliation', () => {
  let arena: Arena;
  beforeAll(async () => {
    arena = await openArena({
      env: {
        '*': { USAGE_REPORT_SECONDS: '1' },
        reconciliation: {
          // As in production.
          RECONCILIATION_QUIET_SECONDS: '25',
          RECONCILIATION_CRON: 'off',
          RECONCILIATION_ROLLING_SECONDS: '0',
          RECONCILIATION_FEES_SECONDS: '2',
        },
      },
    });
  }, 180_000);
  afterAll(() => arena?.close(), 60_000);

  it('names nothing while payments and checkouts come into every state', async () => {
    const count = 3 * STATE_NAMES.length;
    const { runs, objects } = await cleanUnderTraffic(arena, randomFrom(seedOfThisRun()), { count, say: () => undefined });
    expect(runs).toBeGreaterThan(1);
    expect(objects).toBeGreaterThan(count);
  }, 120_000);

  it('agrees to the cent with Stripe after days with an outage, a killed process, a payout and a replay', async () => {
    const report = await history(arena, randomFrom(seedOfThisRun()), DAYS, () => undefined);
    expect(report).toMatchObject({ outages: 1, kills: 1, replays: 1, usageEvents: 36 });
    expect(report.payouts).toBeGreaterThan(0);
    expect(report.payments).toBeGreaterThan(10);
  }, 180_000);

  it('names usage that was reported after its invoice was final, and nothing of what came while it was a draft', async () => {
    const { rows, late } = await lateUsage(arena);
    expect(rows).toMatchObject([
      {
        class: 'usage_mismatch',
        object: 'invoice_usage',
        stripe_id: expect.stringMatching(`^in_.*/${late.price}/`),
        local: `15 of ${late.customer}/${late.meter}, 5 of it taken after the invoice was final`,
        remote: '10',
        proposed_repair: 'add_invoice_item',
      },
    ]);
    expect(rows).toHaveLength(1);
  }, 180_000);
});
