import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RunView } from '@tidegate/contracts/responses';
import { answerCreate, answerDiscrepancies, answerGet, answerList } from '../src/run/run.rpc.js';
import { openWorkbench, routeRequest, runParts, type Workbench } from './workbench.js';

let bench: Workbench;
let requested = 0;

beforeAll(async () => {
  bench = await openWorkbench();
}, 60_000);
afterAll(() => bench.shutDown());

const api = () => ({ ...runParts(bench), requested: () => (requested += 1) });
const body = { start_date: '2026-11-01', end_date: '2026-11-30', mode: 'report', reason: 'month end' };
const create = async (changes: object = {}, key: string | null = null, tenant = 'default') => {
  const reply = await answerCreate(api(), routeRequest({ tenant, idempotency_key: key, body: { ...body, ...changes } }));
  return { status: reply.status, body: JSON.parse(reply.body) as Record<string, unknown> };
};

describe('Asking for a run', () => {
  it('makes one that is running, with an id of its own each time', async () => {
    const [one, two] = [await create(), await create()];
    expect(RunView.parse(one.body)).toMatchObject({
      status: 'running',
      mode: 'report',
      start_date: '2026-11-01',
      end_date: '2026-11-30',
      reason: 'month end',
    });
    expect(one.body['id']).not.toBe(two.body['id']);
    expect(requested).toBe(2);
  });

  it('fifty times at once with one key makes one', async () => {
    const replies = await Promise.all(Array.from({ length: 50 }, () => create({}, 'same')));
    expect(new Set(replies.map((reply) => reply.status))).toEqual(new Set([201]));
    expect(new Set(replies.map((reply) => reply.body['id'])).size).toBe(1);
    expect((await create({}, 'same', 'other')).body['id']).not.toBe(replies[0]!.body['id']);
  });

  it('with a used key and another body is 422', async () => {
    await create({}, 'used');
    expect(await create({ reason: 'other' }, 'used')).toMatchObject({ status: 422, body: { code: 'idempotency.mismatch' } });
  });

  it.each([
    { end_date: '2026-10-31' },
    { start_date: '2026-02-30' },
    { mode: 'fix' },
    { classes: ['nonsense'] },
    { classes: [] },
    { reason: '' },
    { extra: 1 },
  ])('with %j is 400', async (changes) => {
    expect(await create(changes)).toMatchObject({ status: 400, body: { code: 'validation.failed' } });
  });
});

describe('The list of runs', () => {
  it('pages newest first, each run once, the tenant only its own', async () => {
    const mine: unknown[] = [];
    for (let i = 0; i < 5; i += 1) mine.push((await create({}, null, 'paged')).body['id']);
    const seen: string[] = [];
    for (let cursor: string | null = null; ;) {
      const reply = await answerList(api(), routeRequest({ tenant: 'paged', query: { limit: '2', ...(cursor ? { cursor } : {}) } }));
      const page = JSON.parse(reply.body) as { data: RunView[]; has_more: boolean; next_cursor: string | null };
      seen.push(...page.data.map((run) => run.id));
      cursor = page.next_cursor;
      expect(page.has_more).toBe(cursor !== null);
      if (cursor === null) break;
    }
    expect([...seen].sort()).toEqual([...mine].sort());
  });

  it.each([{ limit: '0' }, { limit: 'x' }, { cursor: '!' }, { status: 'odd' }])('refuses %j', async (query) => {
    expect((await answerList(api(), routeRequest({ query: query as Record<string, string> }))).status).toBe(400);
  });

  it('and its rows do not know other ids', async () => {
    expect((await answerGet(api(), routeRequest({ params: { id: 'rec_none' } }))).status).toBe(404);
    expect((await answerDiscrepancies(api(), routeRequest({ params: { id: "rec_' OR 1=1" } }))).status).toBe(404);
  });
});
