import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, type Received, SECRET, control, eventually, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
beforeEach(async () => {
  given = await givenSimulator();
  ({ stripe } = given);
});
afterEach(() => given.end());

const signatures = ({ headers }: Received): string[] => String(headers['stripe-signature']).match(/v1=\w+/g) ?? [];
const secondsOf = ({ headers }: Received): number => Number(/t=(\d+)/.exec(String(headers['stripe-signature']))?.[1]);
const signedBy = ({ body, headers }: Received, secret: string): boolean => {
  try {
    stripe.webhooks.constructEvent(body, headers['stripe-signature'] as string, secret);
    return true;
  } catch {
    return false;
  }
};
/** The next delivery that comes of a change. */
async function delivery(): Promise<Received> {
  const before = given.receiver.received.length;
  await stripe.customers.create({});
  return eventually(() => given.receiver.received[before]);
}
async function rotate(body: object): Promise<{ status: number; value: { secret: string } }> {
  return control(given.simulator, 'POST', '/__dashboard/rotate_secret', body);
}
const fixed = async (): Promise<string> => (await stripe.webhookEndpoints.list()).data[0]!.id;

describe('When a secret is rotated with an overlap', () => {
  it('both sign every attempt until the old one expires, by the virtual clock', async () => {
    const { value } = await rotate({ endpoint: await fixed(), expires_in_seconds: 3_600 });
    const during = await delivery();
    expect(signatures(during)).toHaveLength(2);
    expect([signedBy(during, SECRET), signedBy(during, value.secret)]).toEqual([true, true]);
    given.simulator.advanceClock(3_601);
    const after = await delivery();
    expect(signatures(after)).toHaveLength(1);
    expect([signedBy(after, SECRET), signedBy(after, value.secret)]).toEqual([false, true]);
  });

  it('a second rotation lets three sign', async () => {
    const endpoint = await fixed();
    const second = await rotate({ endpoint, expires_in_seconds: 86_400 });
    const third = await rotate({ endpoint, expires_in_seconds: 86_400 });
    const one = await delivery();
    expect([SECRET, second.value.secret, third.value.secret].map((secret) => signedBy(one, secret))).toEqual([true, true, true]);
  });

  it('other endpoints keep their own', async () => {
    const other = await stripe.webhookEndpoints.create({ url: given.receiver.url, enabled_events: ['customer.created'] });
    await rotate({ endpoint: other.id, expires_in_seconds: 60 });
    await delivery();
    await eventually(() => given.receiver.received.length === 2);
    const own = given.receiver.received.filter((one) => signedBy(one, other.secret!));
    expect(own.map((one) => signatures(one).length)).toEqual([2]);
    expect(given.receiver.received.filter((one) => signedBy(one, SECRET)).map((one) => signatures(one).length)).toEqual([1]);
  });
});

describe('When a secret is rotated at once', () => {
  it('the old one signs nothing more', async () => {
    const { value } = await rotate({ endpoint: await fixed() });
    const one = await delivery();
    expect([signedBy(one, SECRET), signedBy(one, value.secret), signatures(one).length]).toEqual([false, true, 1]);
  });
});

describe('A rotation', () => {
  it.each<[Record<string, unknown>, number]>([
    [{}, 400],
    [{ endpoint: 'we_x' }, 400],
    [{ endpoint: 'FIXED', expires_in_seconds: 86_401 }, 400],
    [{ endpoint: 'FIXED', expires_in_seconds: -1 }, 400],
    [{ endpoint: 'FIXED', expires_in_seconds: '60' }, 400],
  ])('refuses %j', async (body, status) => {
    const endpoint = body['endpoint'] === 'FIXED' ? { endpoint: await fixed() } : {};
    expect((await rotate({ ...body, ...endpoint })).status).toBe(status);
    expect(signedBy(await delivery(), SECRET)).toBe(true);
  });
});

describe('Every attempt', () => {
  it('is signed again with the time of the attempt', async () => {
    await given.end();
    given = await givenSimulator({ deliverySchedule: Array<number>(60).fill(100) });
    ({ stripe } = given);
    given.receiver.answerWith = () => (secondsOf(given.receiver.received[0]!) === secondsOf(given.receiver.received.at(-1)!) ? 500 : 200);
    await delivery();
    await eventually(() => given.simulator.world.deliveries.unfinished().length === 0, 15_000);
    const [first, last] = [given.receiver.received[0]!, given.receiver.received.at(-1)!];
    expect(secondsOf(last)).toBeGreaterThan(secondsOf(first));
    expect(first.body).toBe(last.body);
    expect([signedBy(first, SECRET), signedBy(last, SECRET)]).toEqual([true, true]);
  });
});

describe('A fault of signatures and endpoints', () => {
  it('puts a wrong signature before the right one, which the SDK accepts', async () => {
    given.simulator.addFault({ fault: 'webhook_two_signatures' });
    const one = await delivery();
    expect([signatures(one).length, signedBy(one, SECRET)]).toEqual([2, true]);
    expect(signatures(await delivery())).toHaveLength(1);
  });

  it('disables the endpoint when an event is due; enabled again, it gets it', async () => {
    await given.end();
    given = await givenSimulator({ deliverySchedule: [60_000] });
    ({ stripe } = given);
    given.simulator.addFault({ fault: 'webhook_disable', event_type: 'customer.created' });
    const customer = await stripe.customers.create({});
    const disabled = await eventually(async () => (await stripe.webhookEndpoints.list()).data.find(({ status }) => status === 'disabled'));
    expect(given.simulator.world.deliveries.all()).toMatchObject([{ result: 'dropped', fault: 'webhook_disable' }]);
    expect(given.receiver.received).toEqual([]);
    await stripe.webhookEndpoints.update(disabled.id, { disabled: false });
    given.simulator.advanceClock(61);
    const one = await eventually(() => given.receiver.received[0]);
    expect(one.event.data.object).toMatchObject({ id: customer.id });
  });

  it('keeps an event out of the lists for a time, though it is delivered and found by its id', async () => {
    given.simulator.addFault({ fault: 'event_unlisted', ms: 60_000, event_type: 'customer.created' });
    const { event } = await delivery();
    expect((await stripe.events.list()).data).toEqual([]);
    expect((await stripe.events.retrieve(event.id)).id).toBe(event.id);
    given.simulator.advanceClock(61);
    expect((await stripe.events.list()).data.map(({ id }) => id)).toEqual([event.id]);
  });

  it('keeps an event out of the lists for good', async () => {
    given.simulator.addFault({ fault: 'event_unlisted' });
    await delivery();
    given.simulator.advanceClock(86_400);
    expect((await stripe.events.list()).data).toEqual([]);
  });
});
