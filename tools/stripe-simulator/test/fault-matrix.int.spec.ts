import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type HttpFault, HTTP_FAULTS } from '../src/faults/fault.js';
import { routes } from '../src/routes.js';
import { type Simulator, startSimulator } from '../src/simulator.js';
import { KEY, eventually, sdk } from './given.js';
import { EXPECTED, LATER_SECONDS } from './matrix/expected.js';
import { LEFT_OUT, OPERATIONS } from './matrix/operations.js';

interface Report {
  readonly type: string | undefined;
  readonly error: Record<string, unknown>;
  readonly headers: Record<string, string>;
}

interface Seen {
  readonly report: Report;
  readonly hits: number;
  readonly effectsAtReport: number;
  readonly effectsLater: number;
  readonly retry: Report;
  readonly effectsAtEnd: number;
  readonly shapes: readonly string[];
}

const RESOURCES =
  /^(POST|DELETE) \/v1\/(payment_intents|setup_intents|refunds|checkout\/sessions|payment_pages|subscriptions|invoices\/\{id\}\/pay)(\/|$)/;
const mutating = routes.map(({ operation }) => operation).filter((operation) => RESOURCES.test(operation) && !(operation in LEFT_OUT));
const ready = mutating.filter((operation) => operation in OPERATIONS);
const cells = ready.flatMap((operation) => HTTP_FAULTS.map((fault) => [operation, fault] as const));
const AT_ONCE = 24;
const TIMEOUT_MS = 1_000;

/** One call, its fault, and one retry with the same key after the fault, on a simulator of its own. */
async function meet(operation: string, fault: HttpFault): Promise<Seen> {
  const simulator = await startSimulator({ seed: 1, apiKeys: [KEY], selfCheck: true, balanceDelayMs: 60_000 });
  try {
    const { method, path, params, effects } = await OPERATIONS[operation]!(sdk(simulator), simulator);
    const { spec, effect } = EXPECTED[fault];
    const armed = simulator.addFault({ fault, route: `${method} ${path}`, ...spec });
    const patience = fault === 'hang' || fault === 'late_effect' ? TIMEOUT_MS : 30_000;
    const request = (timeout: number): Promise<Report> => report(simulator, method, path, params, timeout);
    const first = await request(patience);
    const effectsAtReport = effects(simulator.world);
    if (fault === 'error_500_late') simulator.advanceClock(LATER_SECONDS + 1);
    if (effect === 'late') await eventually(() => effects(simulator.world) > 0, 10_000);
    const effectsLater = effects(simulator.world);
    const hits = simulator.world.faults.list().find(({ id }) => id === armed.id)?.hits ?? 0;
    simulator.clearFaults();
    const retry = await request(30_000);
    const shapes = simulator.world.selfCheck?.faults ?? [];
    return { report: first, hits, effectsAtReport, effectsLater, retry, effectsAtEnd: effects(simulator.world), shapes };
  } finally {
    await simulator.close();
  }
}

async function report(simulator: Simulator, method: string, path: string, params: object, timeout: number): Promise<Report> {
  const options = { idempotencyKey: 'the-key', apiVersion: '2026-10-28.endive' };
  try {
    const stripe = sdk(simulator, { timeout });
    const answer = await stripe.rawRequest(method, path, params as never, options);
    return { type: undefined, error: {}, headers: answer.lastResponse.headers };
  } catch (error) {
    const { type, headers = {} } = error as { type: string; headers?: Record<string, string> };
    return { type, error: error as Record<string, unknown>, headers };
  }
}

const seen = new Map<string, Seen>();
beforeAll(async () => {
  const left = [...cells];
  const worker = async (): Promise<void> => {
    for (let cell = left.shift(); cell !== undefined; cell = left.shift()) seen.set(cell.join(), await meet(...cell));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}, 120_000);
afterAll(() => seen.clear());

describe('The matrix', () => {
  it('holds every mutating operation of payments, setups, refunds, checkout and subscriptions', () => {
    expect(mutating.filter((operation) => !(operation in OPERATIONS))).toEqual([]);
    expect(mutating.length).toBeGreaterThanOrEqual(19);
  });
});

describe.each(ready)('%s', (operation) => {
  it.each(HTTP_FAULTS)('with %s', (fault) => {
    const { error, more = {}, message = '', effect, retried } = EXPECTED[fault];
    const cell = seen.get(`${operation},${fault}`)!;
    expect(cell.report.type).toBe(error);
    expect(cell.report.error).toMatchObject(more);
    expect(String((cell.report.error as { message?: string }).message ?? '')).toContain(message);
    expect(cell.hits).toBe(EXPECTED[fault].spec.times ?? 1);
    expect(cell.effectsLater).toBe(effect === 'none' ? 0 : 1);
    // On a slow machine the time that `late_effect` waits may be over before the SDK has given up.
    if (fault !== 'late_effect') expect(cell.effectsAtReport).toBe(effect === 'done' ? 1 : 0);
    // DELETE takes no key in v1: a retry of one that happened is refused as gone, or finds it as it is.
    if (operation.startsWith('POST')) {
      expect(cell.retry.type).toBe(retried === 'replayed_500' ? 'StripeAPIError' : undefined);
      expect(cell.retry.headers['idempotent-replayed']).toBe(retried === 'executed' ? undefined : 'true');
    }
    expect(cell.effectsAtEnd).toBe(effect === 'none' && retried === 'replayed_500' && operation.startsWith('POST') ? 0 : 1);
    expect(cell.shapes).toEqual([]);
  });
});
