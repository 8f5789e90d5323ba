import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { deadLetterId, type DeadLetterList, type DeadLettersChanged, type DeadLetterView } from '@tidegate/contracts/ops/dead-letters';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';
import { runGateway, type RunningGateway } from './running-gateway.js';

/** What each service set aside, and how it answers. */
const SET_ASIDE: Record<string, DeadLetterView[]> = {
  payments: [row('payments-stripe-events', 1), row('payments-stripe-events', 4)],
  receipts: [row('receipts-payments', 2)],
  reconciliation: [row('reconciliation-payments', 3)],
  webhooks: [],
};
const ALL = Object.values(SET_ASIDE)
  .flat()
  .sort((a, b) => (a.at < b.at ? -1 : 1));

let gateway: RunningGateway;
beforeAll(async () => {
  gateway = await runGateway();
}, 120_000);
afterAll(() => gateway?.stop());
beforeEach(() => {
  gateway.received.length = 0;
  gateway.answerWith((subject, request) => {
    const [service = '', , , verb] = subject.split('.');
    const rows = SET_ASIDE[service] ?? [];
    if (verb === 'list') return jsonReply(200, pageOf(rows, request));
    const { filter } = request.body as { filter: { ids?: string[] } };
    const mine = filter.ids ? rows.filter((one) => filter.ids?.includes(one.id)) : rows;
    const not_found = (filter.ids ?? []).filter((id) => id.startsWith(`dl_${service}`) && !mine.some((one) => one.id === id));
    const ids = mine.map((one) => one.id);
    return jsonReply(200, { matched: ids.length, changed: ids.length, more: false, ids, refused: [], not_found });
  });
});

function row(consumer: string, second: number): DeadLetterView {
  return {
    id: deadLetterId(consumer, `01920000-0000-7000-8000-00000000000${second}`),
    object: 'dead_letter',
    kind: 'dead',
    service: consumer.split('-')[0] as DeadLetterView['service'],
    consumer,
    subject: 'payments.events.payment.succeeded.v1',
    aggregate: 'pay_1',
    reason: 'PermanentFailure: no',
    attempts: 1,
    at: `2026-11-21T06:00:0${second}.000Z`,
  };
}

function pageOf(rows: DeadLetterView[], { query, params }: RouteRequest) {
  const left = rows.filter((one) => one.at > (params['after_at'] ?? ''));
  const limit = Number(query['limit'] ?? 20);
  return { data: left.slice(0, limit), has_more: left.length > limit };
}

const list = async (query = ''): Promise<DeadLetterList> =>
  (await (await gateway.fetch(`/v1/ops/dead-letters${query}`)).json()) as DeadLetterList;
const post = (verb: 'replay' | 'discard', filter: object): Promise<Response> =>
  gateway.fetch(`/v1/ops/dead-letters/${verb}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ filter, reason: 'fixed' }),
  });
const asked = () => gateway.received.map(({ subject }) => subject.split('.')[0]).sort();

describe('What the services set aside', () => {
  it('is one list, oldest first, page by page', async () => {
    expect(await list()).toEqual({ data: ALL, has_more: false, next_cursor: null, unavailable: [] });
    const ids: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: DeadLetterList = await list(`?limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`);
      ids.push(...page.data.map((one) => one.id));
      cursor = page.next_cursor;
    }
    expect(ids).toEqual(ALL.map((one) => one.id));
    expect((await gateway.fetch('/v1/ops/dead-letters?cursor=nonsense')).status).toBe(400);
  });

  it('is asked only of those that a filter can mean', async () => {
    await list('?service=receipts');
    expect(asked()).toEqual(['receipts']);
    gateway.received.length = 0;
    await list('?consumer=payments-stripe-events');
    expect(asked()).toEqual(['payments']);
    gateway.received.length = 0;
    await post('replay', { ids: [ALL[0]?.id, ALL[1]?.id] });
    expect(asked()).toEqual(['payments', 'receipts']);
  });

  it('is changed together, and what nobody knows is told', async () => {
    const unknown = deadLetterId('receipts-payments', '01920000-0000-7000-8000-00000000ffff');
    const whole = (await (await post('replay', {})).json()) as DeadLettersChanged;
    expect(whole).toMatchObject({ matched: 4, changed: 4, unavailable: [] });
    const part = (await (await post('discard', { ids: [ALL[0]?.id, unknown] })).json()) as DeadLettersChanged;
    expect(part).toMatchObject({ changed: 1, ids: [ALL[0]?.id], not_found: [unknown] });
    const none = await post('replay', { ids: [unknown] });
    expect([none.status, ((await none.json()) as { code: string }).code]).toEqual([404, 'not_found']);
  });

  it('is changed where it can be: what others did is told beside a service that failed, and only a failure of all is one', async () => {
    gateway.answerWith((subject) =>
      subject.startsWith('receipts')
        ? jsonReply(500, { code: 'internal' })
        : jsonReply(200, { matched: 1, changed: 1, more: false, ids: [subject], refused: [], not_found: [] }),
    );
    const reply = await post('replay', {});
    expect(reply.status).toBe(200);
    expect(await reply.json()).toMatchObject({ changed: 3, unavailable: ['receipts'] });
    expect((await post('replay', { service: 'receipts' })).status).toBe(500);
  });

  it('is shown by its owner', async () => {
    gateway.answerWith((subject) => jsonReply(200, { subject }));
    const response = await gateway.fetch(`/v1/ops/dead-letters/${ALL[1]?.id}`);
    expect(await response.json()).toEqual({ subject: 'receipts.rpc.dead_letter.get.v1' });
  });

  it('is listed without the part of a service that is away, and says so', async () => {
    await gateway.stopServing('receipts.rpc.dead_letter.list.v1');
    const { data, unavailable } = await list();
    expect([data.map((one) => one.service), unavailable]).toEqual([['payments', 'reconciliation', 'payments'], ['receipts']]);
    expect((await gateway.fetch('/v1/ops/dead-letters?service=receipts')).status).toBe(503);
  });
});
