import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { operatorWorld, type OperatorWorld } from './operator-world.js';
import { BREAKERS } from './states/breakers.states.js';
import { CHECKOUTS } from './states/checkouts.states.js';
import { PAYMENTS } from './states/payments.states.js';
import { statesIn } from './states/readme-tables.js';
import { enterAndRead, given, type Given, type State } from './states/state.js';
import { USAGE } from './states/usage.states.js';
import { WAITING } from './states/waiting.states.js';

jest.setTimeout(60_000);

const README = join(import.meta.dirname, '..', '..', '..', 'services', 'payments', 'README.md');
const STATES: State[] = [...PAYMENTS, ...WAITING, ...BREAKERS, ...CHECKOUTS, ...USAGE];

describe('The tables of what an operator sees, in the README of payments', () => {
  const rows = statesIn(readFileSync(README, 'utf8'));

  it('have the rows that are entered here, and no others', () => {
    expect(rows.map(({ state }) => state)).toEqual(STATES.map(({ state }) => state));
  });

  it.each(rows)('name what is read here: $state', ({ state, seen, commands }) => {
    const tested = STATES.find((one) => one.state === state);
    const names = [
      ...(tested?.metrics ?? []).map(({ name }) => name.replace(/_count$/, '')),
      ...(tested?.lines ?? []).map(({ event }) => event),
    ];
    expect(seen.toSorted()).toEqual([...new Set(names)].toSorted());
    expect(commands.toSorted()).toEqual((tested?.commands ?? []).map(({ line }) => line).toSorted());
  });
});

describe('An operator reads from the metrics, the log and --json', () => {
  let world: OperatorWorld;
  let words: Given;
  beforeAll(async () => {
    world = await operatorWorld({
      virtualClock: true,
      deliveries: true,
      payments: {
        STRIPE_DEADLINE_MS: '1000',
        STRIPE_MAX_IN_FLIGHT: '4',
        PAYMENTS_CONCURRENCY: '2',
        PAYMENT_NOT_AFTER_SECONDS: '604800',
        LATE_SUCCESS_POLICY: 'hold',
        CIRCUIT_BREAKER_RECOVERY_TIMEOUT: '1',
      },
    });
    words = given(world);
  }, 120_000);
  afterEach(() => words?.healed());
  afterAll(() => world?.stop());

  it.each(STATES)('$state', (state) => enterAndRead(state, words));
});
