import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type DeadLetterDetail, deadLetterId, type DeadLetterPage, type DeadLettersChanged } from '@tidegate/contracts/ops/dead-letters';
import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { deadLetterSubject, type DeadLetterVerb, type RouteRequest } from '@tidegate/contracts/rpc/routes';
import { createMetrics } from '@tidegate/telemetry/metrics';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { serveDeadLetters } from '../src/dead-letters.rpc.js';
import { RpcClient } from '../src/rpc.js';
import { type Handler, PermanentFailure } from '../src/subscriber.js';
import { effectsOf, type Member, numbersByAggregate, type Publish, quiet, recordEffect, World } from './support/world.js';

jest.setTimeout(60_000);

const CONSUMER = 'receipts-payments';

describe('When a message can never be handled', () => {
  let world: World;
  let receipts: Member;
  let client: RpcClient;
  let publish: Publish;
  let fixed: boolean;
  const metrics = createMetrics('receipts');

  beforeEach(async () => {
    fixed = false;
    world = await World.open();
    const handler: Handler = {
      async handle(tx, message) {
        const { n } = message.envelope.data as { n: number };
        if (n === 2 && !fixed) throw new PermanentFailure('unknown currency xxx, key sk_test_abcdefghijkl');
        await recordEffect(tx, message);
      },
    };
    receipts = await world.member('receipts');
    for (const member of [receipts, await world.member('receipts')]) {
      const subscriber = await world.subscribe(member, CONSUMER, handler, { metrics });
      const clock = { now: () => new Date() };
      const server = serveDeadLetters({ ...member, owner: 'receipts', logger: quiet, clock, consumers: [subscriber] });
      world.onClose(() => server.stop());
    }
    client = new RpcClient((await world.member('gateway')).broker);
    ({ publish } = await world.owner('payments'));
    for (const aggregate of ['pay_bad', 'pay_worse']) for (const n of [1, 2, 3, 4]) await publish(aggregate, n);
    await eventually(async () => expect((await page()).data).toHaveLength(2));
  });
  afterEach(() => world.close());

  const ask = async (verb: DeadLetterVerb, change: Partial<RouteRequest>): Promise<HttpReply> => {
    const request: RouteRequest = {
      tenant: 'default',
      actor: 'key:anna',
      request_id: 'req_1',
      correlation_id: 'cor_1',
      route: '',
      params: {},
      query: {},
      idempotency_key: null,
      respond_async: false,
      livemode: false,
      body: null,
      ...change,
    };
    return client.request<HttpReply>(deadLetterSubject('receipts', verb), request);
  };
  const read = <T>(reply: HttpReply): T => JSON.parse(reply.body) as T;
  const page = async (query: Record<string, string> = {}) => read<DeadLetterPage>(await ask('list', { query }));
  // Two replicas run the two lanes, so either may be first.
  const badOne = async () => (await page()).data.find(({ aggregate }) => aggregate === 'pay_bad');
  const change = async (verb: 'replay' | 'discard', filter: object, more: object = {}) =>
    read<DeadLettersChanged>(await ask(verb, { body: { filter, reason: 'currency was added', ...more } }));
  const numbers = async () => numbersByAggregate(await effectsOf(receipts.db, CONSUMER));
  const actions = async () =>
    (
      await sql<{ actor: string; action: string; target: string; reason: string }>`
      SELECT actor, action, target, reason FROM operator_actions ORDER BY id`.execute(receipts.db)
    ).rows;
  const shownDead = async () => /dead_letters\{consumer="receipts-payments"\} (\d+)/.exec(await metrics.registry.metrics())?.[1];

  it('is listed with its reason, holds only its own lane, and shows what waits behind it without secrets', async () => {
    const { data, has_more } = await page();
    const found = data.find(({ aggregate }) => aggregate === 'pay_bad');
    expect(has_more).toBe(false);
    expect(found).toMatchObject({
      kind: 'dead',
      service: 'receipts',
      consumer: CONSUMER,
      subject: 'payments.events.payment.succeeded.v1',
      aggregate: 'pay_bad',
      attempts: 1,
    });
    expect(found?.reason).toBe('PermanentFailure: unknown currency xxx, key sk_[secret]');
    expect(await numbers()).toEqual({ pay_bad: [1], pay_worse: [1] });
    expect(await shownDead()).toBe('2');
    const detail = read<DeadLetterDetail>(await ask('get', { params: { id: found?.id ?? '' } }));
    expect(detail.payload).toMatchObject({ aggregate: { id: 'pay_bad', version: 2 }, data: { n: 2 } });
    expect([detail.behind.count, detail.behind.first.map((one) => one.subject)]).toEqual([2, Array(2).fill(found?.subject)]);
    expect((await page({ reason: 'CURRENCY' })).data).toHaveLength(2);
    expect((await page({ reason: 'elsewhere' })).data).toEqual([]);
    expect((await page({ consumer: 'receipts-other' })).data).toEqual([]);
  });

  it('is read page by page, each once', async () => {
    const first = await page({ limit: '1' });
    const [one] = first.data;
    const second = read<DeadLetterPage>(await ask('list', { params: { after_at: one?.at ?? '', after_id: one?.id ?? '' } }));
    expect([first.has_more, second.has_more]).toEqual([true, false]);
    expect([...first.data, ...second.data].map((row) => row.aggregate).sort()).toEqual(['pay_bad', 'pay_worse']);
  });

  it('is handled after the fix by a replay, and what waited behind it follows in order', async () => {
    const bad = await badOne();
    fixed = true;
    expect(await change('replay', { ids: [bad?.id] }, { dry_run: true })).toMatchObject({
      dry_run: true,
      matched: 1,
      changed: 0,
      ids: [bad?.id],
    });
    expect(await actions()).toEqual([]);
    expect(await change('replay', { ids: [bad?.id] })).toMatchObject({ matched: 1, changed: 1, ids: [bad?.id], refused: [] });
    await eventually(async () => expect(await numbers()).toEqual({ pay_bad: [1, 2, 3, 4], pay_worse: [1] }));
    expect(await actions()).toEqual([{ actor: 'key:anna', action: 'dead_letter.replay', target: bad?.id, reason: 'currency was added' }]);
    expect(await shownDead()).toBe('1');
  });

  it('replayed without the fix is dead again, and nothing behind it has run', async () => {
    await change('replay', {});
    await eventually(async () => expect((await page()).data.map((row) => row.attempts)).toEqual([1, 1]));
    expect(await numbers()).toEqual({ pay_bad: [1], pay_worse: [1] });
  });

  it('lets its lane go on when it is discarded', async () => {
    expect(await change('discard', { reason: 'currency' })).toMatchObject({ matched: 2, changed: 2 });
    await eventually(async () => expect(await numbers()).toEqual({ pay_bad: [1, 3, 4], pay_worse: [1, 3, 4] }));
    expect((await actions()).map(({ action }) => action)).toEqual(['dead_letter.discard', 'dead_letter.discard']);
    const { rows } = await sql<{ why: string }>`SELECT details->>'failed_with' AS why FROM operator_actions`.execute(receipts.db);
    expect(rows.map(({ why }) => why)).toEqual(Array(2).fill('PermanentFailure: unknown currency xxx, key sk_[secret]'));
    expect((await page()).data).toEqual([]);
  });

  it('is changed by one of two operators at once, and only that one is written down', async () => {
    const bad = await badOne();
    fixed = true;
    const filter = { ids: [bad?.id] };
    const answers = await Promise.all([change('replay', filter), change('discard', filter), change('replay', filter)]);
    expect(answers.reduce((sum, answer) => sum + answer.changed, 0)).toBe(1);
    expect(await actions()).toHaveLength(1);
    for (const answer of answers.filter(({ changed }) => changed === 0))
      expect([answer.refused.map(({ why }) => why), answer.not_found]).toEqual(answer.matched === 0 ? [[], [bad?.id]] : [['gone'], []]);
  });

  it('cannot be found under an id of nobody', async () => {
    const id = deadLetterId(CONSUMER, '01920000-0000-7000-8000-000000000000');
    expect((await ask('get', { params: { id } })).status).toBe(404);
    expect((await ask('get', { params: { id: deadLetterId(CONSUMER, 'nonsense') } })).status).toBe(404);
    expect(await change('replay', { ids: [id] })).toMatchObject({ matched: 0, changed: 0, not_found: [id] });
    expect((await ask('replay', { body: { filter: {} } })).status).toBe(400);
  });
});
