import { expect } from '@jest/globals';
import type { RetryView } from '@tidegate/contracts/ops/retries';
import type { BreakerView } from '@tidegate/contracts/responses';
import type { Given, State } from './state.js';

const stateOf = (least: number) => [{ name: 'circuit_state', labels: { breaker_name: 'stripe' }, least, most: least }];
const breaker =
  (like: object) =>
  ({ data }: { data: BreakerView[] }): void =>
    expect(data).toContainEqual(expect.objectContaining({ name: 'stripe', ...like }));
const become = (state: string) => (value: object) => expect(value).toMatchObject({ done: true, result: { name: 'stripe', state } });
const waits =
  (reason: string) =>
  ({ data }: { data: RetryView[] }, id: string): void =>
    expect(data).toContainEqual(expect.objectContaining({ payment_id: id, reason }));

/** Enough failures at once that the breaker for writes opens; then nobody answers. */
async function opened(given: Given): Promise<string> {
  given.fault('error_503', 'POST /v1/payment_intents');
  const [first] = await Promise.all(Array.from({ length: 8 }, () => given.pay()));
  given.world.simulator.clearFaults();
  given.fault('hang', 'POST /v1/payment_intents', { ms: 60_000 });
  given.fault('error_503', 'GET /v1/payment_intents');
  return first?.id ?? '';
}

/** The third table: breakers, and what else holds calls back. */
export const BREAKERS: State[] = [
  {
    state: 'open',
    enter: opened,
    metrics: stateOf(1),
    lines: [
      { event: 'circuit_breaker_open', fields: () => ({ target: 'stripe', from: 'closed' }) },
      { event: 'stripe_api_error', fields: () => ({ status: '503', operation: 'create_intent' }) },
    ],
    commands: [
      { line: 'breaker status', exit: 2, shows: breaker({ state: 'open', retry_at: expect.stringMatching(/Z$/) }) },
      { line: 'breaker close stripe --reason …', healed: true, shows: become('closed') },
    ],
  },
  {
    state: 'half open: one call tries',
    enter: opened,
    metrics: stateOf(2),
    lines: [{ event: 'circuit_breaker_half_open', fields: () => ({ target: 'stripe', from: 'open' }) }],
    commands: [{ line: 'breaker status', exit: 2, shows: breaker({ state: 'half_open' }) }],
  },
  {
    state: 'isolated by a person',
    enter: async ({ isolate }) => {
      await isolate('stripe');
      return '';
    },
    metrics: stateOf(3),
    lines: [
      { event: 'circuit_breaker_isolated', fields: () => ({ target: 'stripe' }) },
      { event: 'operator_action', fields: () => ({ action: 'breaker.isolate', reason: 'a drill' }) },
    ],
    commands: [
      { line: 'breaker status', exit: 2, shows: breaker({ state: 'isolated' }) },
      { line: 'breaker close stripe --reason …', shows: become('closed') },
      { line: 'breaker isolate stripe --reason …', shows: become('isolated') },
    ],
  },
  {
    state: 'the key is refused (401)',
    enter: async (given) => {
      given.fault('auth_expired', 'POST /v1/payment_intents', { times: 1 });
      return (await given.pay()).id;
    },
    metrics: stateOf(4),
    lines: [{ event: 'circuit_breaker_auth', fields: () => ({ target: 'stripe' }) }],
    commands: [
      { line: 'breaker status', exit: 2, shows: breaker({ state: 'auth' }) },
      { line: 'breaker reset stripe --reason …', shows: become('closed') },
    ],
  },
  {
    state: 'one operation is refused (403)',
    enter: async (given) => {
      given.fault('forbidden', 'POST /v1/customers', { times: 1 });
      await given.world.post('/v1/customers', { name: 'Ada' });
      return '';
    },
    metrics: [{ name: 'circuit_held_operations', labels: { breaker_name: 'stripe' }, least: 1 }],
    commands: [
      {
        line: 'breaker status',
        exit: 2,
        shows: breaker({ state: 'closed', held_operations: [expect.objectContaining({ operation: 'create_customer', until: null })] }),
      },
      { line: 'breaker reset stripe --reason …', shows: become('closed') },
    ],
  },
  {
    state: 'Stripe limits us (429)',
    enter: async (given) => {
      await given.nothingWaits();
      given.fault('rate_limit', 'POST /v1/payment_intents');
      return (await given.pay({}, { prefer: 'respond-async' })).id;
    },
    metrics: [{ name: 'stripe_request_rate_limit', most: 19 }],
    lines: [{ event: 'stripe_api_error', fields: () => ({ status: '429', operation: 'create_intent' }) }],
    commands: [{ line: 'retries list', shows: waits('rate_limited') }],
  },
  {
    state: 'our limit is reached',
    enter: async (given) => {
      given.fault('slow', 'POST /v1/payment_intents', { ms: 700 });
      const accepted = Promise.all(Array.from({ length: 14 }, () => given.pay()));
      void accepted.catch(() => undefined);
      return '';
    },
    metrics: [
      { name: 'stripe_calls_waiting', labels: { kind: 'write' }, least: 1 },
      { name: 'stripe_requests_total', labels: { result: 'limited' }, more: 1 },
    ],
    commands: [
      {
        line: 'retries list',
        shows: ({ data }: { data: RetryView[] }) => expect(data).toContainEqual(expect.objectContaining({ reason: 'rate_limited' })),
      },
    ],
  },
  {
    state: 'a loop stopped by any of these',
    enter: async (given) => {
      await given.nothingWaits();
      const id = await given.unanswered();
      await given.isolate('stripe', 'stripe_reads');
      given.advance(31 * 60);
      return id;
    },
    metrics: [{ name: 'job_errors_total', labels: { job: 'payments.carry_on', error_type: 'stripe_unavailable' }, more: 1 }],
    commands: [{ line: 'retries list', shows: waits('breaker_open') }],
  },
];
