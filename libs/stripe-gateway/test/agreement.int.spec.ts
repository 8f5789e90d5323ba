import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type BreakerState, closedBreaker, leaseProbe, reportCalls, reportProbe } from '@tidegate/resilience/breaker';
import { BreakerStore } from '../src/fleet/breaker.store.js';
import { type TestFleet, openTestFleet, QUICK } from './fleet-world.js';
import fc from 'fast-check';
import { sql } from 'kysely';

type Step =
  | { do: 'calls'; calls: number; failures: number }
  | { do: 'lease' }
  | { do: 'probe'; failed: boolean; mine: boolean }
  | { do: 'wait'; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({
      do: fc.constant('calls' as const),
      calls: fc.integer({ min: 1, max: 4 }),
      failures: fc.integer({ min: 0, max: 4 }),
    }),
    weight: 4,
  },
  fc.record({ do: fc.constant('lease' as const) }),
  fc.record({ do: fc.constant('probe' as const), failed: fc.boolean(), mine: fc.boolean() }),
  { arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: -8_000, max: 20_000 }) }), weight: 2 },
);

const rules = { ...QUICK, recoveryMs: 15_000 };
const author = { service: 'payments', process: 'spec', correlationId: null };
const START = Date.parse('2026-11-21T06:00:00Z');

describe('The breaker in the database', () => {
  let world: TestFleet;
  beforeAll(async () => {
    world = await openTestFleet(rules);
  }, 60_000);
  afterAll(() => world.close());

  it('decides as the pure rules do, whatever happens and whenever', async () => {
    let now = START;
    const store = () => new BreakerStore(world.db, sql<Date>`${new Date(now)}::timestamptz`);
    const row = async () => (await store().read()).breakers.find((one) => one.name === 'stripe')!;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        await store().reset('stripe', author);
        let model: BreakerState = closedBreaker;
        for (const [index, one] of steps.entries()) {
          const probe = `p${index}`;
          const { version } = await row();
          switch (one.do) {
            case 'wait':
              now += one.ms;
              break;
            case 'calls': {
              const added = { calls: one.calls, failures: Math.min(one.calls, one.failures) };
              model = reportCalls(model, rules, added, now);
              await store().count('stripe', version, added);
              if (added.failures > 0) await store().trip('stripe', version, author);
              break;
            }
            case 'lease': {
              const leased = leaseProbe(model, rules, probe, now);
              model = leased ?? model;
              expect((await store().leaseProbe('stripe', probe, author)) !== null).toBe(leased !== null);
              break;
            }
            case 'probe': {
              const named = one.mine && model.state === 'half_open' ? model.probe : probe;
              model = reportProbe(model, rules, { probe: named, failed: one.failed }, now);
              await store().reportProbe('stripe', named, one.failed, author);
              break;
            }
            default:
              one satisfies never;
          }
          const { state, retry_at } = await row();
          expect({ state, retryAt: retry_at }).toEqual({ state: model.state, retryAt: 'retryAt' in model ? model.retryAt : null });
        }
      }),
      { numRuns: 30, seed: 4 },
    );
  }, 60_000);
});
