import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { type SubscriptionView } from '@tidegate/contracts/subscription';
import { type SubscriptionWorld, subscriptionWorld } from './subscription-world.js';

jest.setTimeout(60_000);

const UPDATE = 'POST /v1/subscriptions/:id';

describe('When a subscription is to end with its period, or to go on, and the call that says so had no effect', () => {
  let world: SubscriptionWorld;
  let price: string;
  beforeAll(async () => {
    world = await subscriptionWorld({ runMs: 500 });
    price = await world.price();
  });
  afterEach(() => world.simulator.clearFaults());
  afterAll(() => world.close());

  const view = (reply: HttpReply): SubscriptionView => world.json<SubscriptionView>(reply);
  const code = (reply: HttpReply): string => (JSON.parse(reply.body) as { code: string }).code;
  const subscribed = async () =>
    view(await world.send(RPC.subscriptionCreate, { body: { customer: await world.customer(), items: [{ price }] } })).id;
  const change = (id: string, body: object, key: string) => world.send(RPC.subscriptionChange, { params: { id }, body, key });
  const cancel = (id: string, body: object, key: string) => world.send(RPC.subscriptionCancel, { params: { id }, body, key });
  const ends = (id: string) => world.subscriptionAtStripe(id)?.cancel_at_period_end;

  it('a cancellation after a change that takes one back stays: that change is not made after it', async () => {
    const id = await subscribed();
    await cancel(id, { at_period_end: true }, 'planned');
    world.simulator.addFault({ fault: 'error_503', route: UPDATE, times: 0 });
    expect((await change(id, { cancel_at_period_end: false }, 'taken back')).status).toBe(503);
    const early = await cancel(id, { at_period_end: true }, 'planned again');
    expect([early.status, code(early)]).toEqual([409, 'payments.in_progress']);
    world.simulator.clearFaults();
    await world.settle();
    expect(view(await change(id, { cancel_at_period_end: false }, 'taken back')).cancel_at_period_end).toBe(false);
    expect(view(await cancel(id, { at_period_end: true }, 'planned again')).cancel_at_period_end).toBe(true);
    await world.settle();
    expect(ends(id)).toBe(true);
  });

  it('a change that takes a cancellation back stays: that cancellation is not made after it', async () => {
    const id = await subscribed();
    world.simulator.addFault({ fault: 'error_503', route: UPDATE, times: 0 });
    expect((await cancel(id, { at_period_end: true }, 'planned 2')).status).toBe(503);
    const early = await change(id, { cancel_at_period_end: false }, 'taken back 2');
    expect([early.status, code(early)]).toEqual([409, 'payments.in_progress']);
    world.simulator.clearFaults();
    await world.settle();
    expect(view(await cancel(id, { at_period_end: true }, 'planned 2')).cancel_at_period_end).toBe(true);
    expect(view(await change(id, { cancel_at_period_end: false }, 'taken back 2')).cancel_at_period_end).toBe(false);
    await world.settle();
    expect(ends(id)).toBe(false);
  });

  it('whoever cancels at once waits for nobody', async () => {
    const id = await subscribed();
    world.simulator.addFault({ fault: 'error_503', route: UPDATE, times: 0 });
    expect((await change(id, { cancel_at_period_end: true }, 'planned 3')).status).toBe(503);
    expect(view(await cancel(id, {}, 'at once')).status).toBe('canceled');
  });
});
