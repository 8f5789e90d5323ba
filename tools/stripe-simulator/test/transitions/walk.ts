import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type StripeEvent } from '../../src/events/event.js';
import { type SimulatorOptions } from '../../src/simulator.js';
import { type Given, givenSimulator } from '../given.js';
import { type Causer, type Table, type Told } from './table.js';

const YEARS_MS = 10 * 365 * 86_400_000;

/** Nothing happens by itself unless a table's operation lets the time pass. */
const STILL: SimulatorOptions = {
  balanceDelayMs: YEARS_MS,
  debitDelayMs: 60_000,
  refundUpdateDelayMs: 60_000,
  disputeDecisionMs: YEARS_MS,
};

/** One test per state and one per cell of a table. */
export function walk<State extends string, Name extends string>(table: Table<State, Name>): void {
  let given: Given;
  beforeAll(async () => {
    given = await givenSimulator({ ...STILL, ...table.settings });
  });
  afterAll(() => given.end());

  const states = Object.keys(table.states) as State[];
  const events = (): StripeEvent[] => given.simulator.world.events.records.all().map(({ event }) => event);
  const into = async (state: State): Promise<string> => {
    given.simulator.reset();
    const id = await table.states[state].into(given);
    expect(await table.status(given, id)).toBe(statusOf(state));
    return id;
  };

  describe(`${/^[aeiou]/.test(table.object) ? 'An' : 'A'} ${table.object}`, () => {
    it.each(states)('gets into %s with exactly its events', async (state) => {
      await into(state);
      const told = events().map(({ type }) => type);
      expect(told.filter((type) => table.about.test(type)).sort()).toEqual([...table.states[state].events].sort());
    });

    const cells = (Object.keys(table.operations) as Name[]).flatMap((name) => states.map((state) => [name, state] as const));
    it.each(cells)('%s in %s', async (name, state) => {
      const id = await into(state);
      const before = events().length;
      const cell = table.cells[name][state];
      const { by, run } = table.operations[name];
      const key = `walk-${table.object}-${name}-${state}`;
      const ended = await run(given, id, { idempotencyKey: key }).then(answered, refused);
      const told = events().slice(before).map(shown).sort(byType);
      if ('refused' in cell) {
        expect(ended).toMatchObject({ status: cell.status ?? 400, code: cell.refused });
        expect(told).toEqual([]);
        expect(await table.status(given, id)).toBe(statusOf(state));
        return;
      }
      expect(ended.code).toBe(cell.error);
      if (cell.error !== undefined) expect(ended.status).toBe(cell.status ?? 402);
      expect(await table.status(given, id)).toBe(statusOf(cell.to));
      const request = requestOf(by, ended.requestId, key);
      expect(told).toEqual(cell.events.map((event) => ({ ...expected(event), request })).sort(byType));
    });
  });
}

/** `pending (bank)` is the state `pending` on another way. */
function statusOf(state: string): string {
  return state.split(' ')[0] as string;
}

interface Shown {
  readonly type: string;
  readonly previous: object | undefined;
  readonly request: unknown;
}

function shown({ type, data, request }: StripeEvent): Shown {
  return { type, previous: data.previous_attributes, request };
}

function expected(event: Told): Omit<Shown, 'request'> {
  return typeof event === 'string' ? { type: event, previous: undefined } : { type: event[0], previous: event[1] };
}

function byType(a: { type: string }, b: { type: string }): number {
  return a.type < b.type ? -1 : a.type > b.type ? 1 : 0;
}

function requestOf(by: Causer, requestId: string | undefined, key: string): unknown {
  if (by === 'stripe') return { id: null, idempotency_key: null };
  if (by === 'person') return { id: expect.stringMatching(/^req_/), idempotency_key: null };
  return { id: requestId, idempotency_key: by === 'keyless request' ? null : key };
}

interface Ended {
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly requestId: string | undefined;
}

/** An SDK answer, or the answer of a dashboard action. */
function answered(answer: unknown): Ended {
  const { lastResponse, status, value } = (answer ?? {}) as {
    lastResponse?: { requestId: string; statusCode: number };
    status?: unknown;
    value?: { error?: { code?: string } };
  };
  if (lastResponse !== undefined) return { status: lastResponse.statusCode, code: undefined, requestId: lastResponse.requestId };
  return { status: typeof status === 'number' ? status : undefined, code: value?.error?.code, requestId: undefined };
}

function refused(error: { statusCode?: number; code?: string; requestId?: string }): Ended {
  return { status: error.statusCode, code: error.code, requestId: error.requestId };
}
