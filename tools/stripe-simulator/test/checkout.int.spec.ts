import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, control, errorOf, eventually, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
beforeEach(async () => {
  given = await givenSimulator();
  ({ stripe } = given);
});
afterEach(() => given.end());

const ORDER = {
  mode: 'payment',
  success_url: 'https://shop.example/thanks?session={CHECKOUT_SESSION_ID}',
  cancel_url: 'https://shop.example/cart',
  line_items: [
    { price_data: { currency: 'usd', unit_amount: 700, product_data: { name: 'Tea' } }, quantity: 2 },
    { price_data: { currency: 'usd', unit_amount: 600, product_data: { name: 'Cup' } }, quantity: 1 },
  ],
  metadata: { checkout_id: 'cks_1' },
  payment_intent_data: { metadata: { payment_id: 'pay_1' }, description: 'Order 1' },
} as const satisfies Stripe.Checkout.SessionCreateParams;

const create = (more: object = {}): Promise<Stripe.Checkout.Session> => stripe.checkout.sessions.create({ ...ORDER, ...more });
const pay = (session: string, body: object = { payment_method: 'pm_card_visa' }): Promise<{ status: number; value: never }> =>
  control(given.simulator, 'POST', '/__dashboard/pay_checkout', { session, ...body });
const eventTypes = (): string[] => given.simulator.world.events.records.all().map(({ event }) => event.type);
const inHours = (hours: number): number => given.simulator.world.clock.nowSeconds() + hours * 3_600;

describe('A session that is made', () => {
  it('is open, unpaid and without an intent, and ends after 24 hours', async () => {
    const session = await create();
    expect(session).toMatchObject({
      status: 'open',
      payment_status: 'unpaid',
      payment_intent: null,
      amount_total: 2_000,
      currency: 'usd',
      metadata: { checkout_id: 'cks_1' },
      ui_mode: 'hosted_page',
    });
    expect(Math.abs(session.expires_at - session.created - 86_400)).toBeLessThanOrEqual(5);
    expect(session.url).toMatch(/^http:\/\/127\.0\.0\.1/);
    expect(eventTypes().filter((type) => !/^(product|price)\./.test(type))).toEqual([]);
  });

  it('lists its items in their order, also expanded', async () => {
    const session = await create({ expand: ['line_items'] });
    expect(session.line_items?.data.map(({ description, amount_total }) => [description, amount_total])).toEqual([
      ['Tea', 1_400],
      ['Cup', 600],
    ]);
    const first = await stripe.checkout.sessions.listLineItems(session.id, { limit: 1 });
    expect(first).toMatchObject({ has_more: true, data: [{ description: 'Tea', price: { unit_amount: 700, active: false } }] });
    const rest = await stripe.checkout.sessions.listLineItems(session.id, { starting_after: first.data[0]!.id });
    expect(rest).toMatchObject({ has_more: false, data: [{ description: 'Cup' }] });
    expect((await stripe.prices.list()).data).toEqual([]);
  });

  it('is found by its customer, status and intent', async () => {
    const customer = await stripe.customers.create({ email: 'a@example.com' });
    const session = await create({ customer: customer.id });
    await create();
    expect((await stripe.checkout.sessions.list({ customer: customer.id })).data.map(({ id }) => id)).toEqual([session.id]);
    expect((await stripe.checkout.sessions.list({ status: 'complete' })).data).toEqual([]);
    await pay(session.id);
    const paid = await stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent.latest_charge', 'customer'] });
    const intent = paid.payment_intent as Stripe.PaymentIntent;
    expect((await stripe.checkout.sessions.list({ payment_intent: intent.id })).data.map(({ id }) => id)).toEqual([session.id]);
    expect(paid).toMatchObject({ customer: { email: 'a@example.com' }, customer_details: { email: 'a@example.com' } });
    expect(intent).toMatchObject({ customer: customer.id, latest_charge: { object: 'charge', amount: 2_000 } });
  });

  it('can be part of a page of the caller', async () => {
    const session = await create({
      ui_mode: 'embedded_page',
      return_url: 'https://shop.example',
      success_url: undefined,
      cancel_url: undefined,
    });
    expect(session).toMatchObject({ url: null, client_secret: expect.stringMatching(`^${(session as { id: string }).id}_secret_`) });
  });

  it.each([
    ['without a mode', { mode: undefined }, 'mode'],
    ['without anything to buy', { line_items: undefined }, 'line_items'],
    ['without a place to return to', { success_url: undefined }, 'success_url'],
    ['with a return URL on the hosted page', { return_url: 'https://x.example' }, 'return_url'],
    ['with a relative URL', { success_url: '/thanks' }, 'success_url'],
    ['of a missing price', { line_items: [{ price: 'price_x', quantity: 1 }] }, 'line_items[0][price]'],
    ['without a quantity', { line_items: [{ price_data: ORDER.line_items[0].price_data }] }, 'line_items[0][quantity]'],
    ['in two currencies', { currency: 'eur' }, 'line_items[0][price]'],
    ['for a missing customer', { customer: 'cus_x' }, 'customer'],
    ['for a customer and an address', { customer: 'cus_x', customer_email: 'a@example.com' }, 'customer_email'],
    ['with data for another mode', { subscription_data: { description: 'x' } }, 'subscription_data'],
    ['with tax (not here)', { automatic_tax: { enabled: true } }, 'automatic_tax'],
  ])('is refused %s', async (_, more, param) => {
    expect(await errorOf(create(more))).toMatchObject({ statusCode: 400, param });
  });

  it('is refused below the minimum and for recurring prices in payment mode', async () => {
    const item = (more: object) => ({
      line_items: [{ price_data: { currency: 'usd', product_data: { name: 'x' }, ...more }, quantity: 1 }],
    });
    expect(await errorOf(create(item({ unit_amount: 49 })))).toMatchObject({ code: 'amount_too_small' });
    const recurring = await errorOf(create(item({ unit_amount: 500, recurring: { interval: 'month' } })));
    expect(recurring.message).toContain('passed a recurring price');
  });

  it.each([
    ['too early', 0.49, 'at least 30 minutes'],
    ['too late', 24.01, 'less than 24 hours'],
  ])('is refused when it would end %s', async (_, hours, words) => {
    const error = await errorOf(create({ expires_at: Math.floor(inHours(hours)) }));
    expect(error).toMatchObject({ statusCode: 400, param: 'expires_at' });
    expect(error.message).toContain(words);
  });
});

describe('A session that is paid', () => {
  it('is complete and paid; its intent carries amount, description and metadata', async () => {
    const { id } = await create();
    await pay(id, { payment_method: 'pm_card_visa', email: 'buyer@example.com', name: 'Buyer' });
    const session = await stripe.checkout.sessions.retrieve(id);
    expect(session).toMatchObject({
      status: 'complete',
      payment_status: 'paid',
      url: null,
      customer: null,
      customer_details: { email: 'buyer@example.com', name: 'Buyer' },
    });
    const intent = await stripe.paymentIntents.retrieve(session.payment_intent as string);
    expect(intent).toMatchObject({ amount: 2_000, status: 'succeeded', description: 'Order 1', metadata: { payment_id: 'pay_1' } });
    const completed = await eventually(() => given.receiver.received.find(({ event }) => event.type === 'checkout.session.completed'));
    expect(completed.event.data.object).toMatchObject({
      id,
      payment_status: 'paid',
      payment_intent: intent.id,
      metadata: { checkout_id: 'cks_1' },
    });
  });

  it('makes a customer when it was told to', async () => {
    const { id } = await create({ customer_creation: 'always', customer_email: 'new@example.com' });
    await pay(id);
    const session = await stripe.checkout.sessions.retrieve(id, { expand: ['customer'] });
    expect(session.customer).toMatchObject({ email: 'new@example.com' });
    expect(eventTypes()).toContain('customer.created');
  });

  it('stays open after a decline and takes another card on the same intent', async () => {
    const { id } = await create();
    const declined = await pay(id, { payment_method: 'pm_card_chargeDeclinedInsufficientFunds' });
    expect(declined).toMatchObject({ status: 402, value: { error: { decline_code: 'insufficient_funds' } } });
    const open = await stripe.checkout.sessions.retrieve(id);
    expect(open).toMatchObject({ status: 'open', payment_status: 'unpaid', payment_intent: expect.stringMatching(/^pi_/) });
    await pay(id);
    expect(await stripe.checkout.sessions.retrieve(id)).toMatchObject({ status: 'complete', payment_intent: open.payment_intent });
    expect((await stripe.charges.list()).data.map(({ status }) => status)).toEqual(['succeeded', 'failed']);
  });

  it('refuses to be paid again or expired', async () => {
    const { id } = await create();
    await pay(id);
    expect(await pay(id)).toMatchObject({ status: 400, value: { error: { message: expect.stringContaining('is complete') } } });
    expect((await errorOf(stripe.checkout.sessions.expire(id))).message).toContain('has a status of complete');
    expect((await stripe.charges.list()).data).toHaveLength(1);
  });

  it('is paid as the CLI does it, for the expected amount only', async () => {
    const { id } = await create();
    const confirm = (form: string) =>
      fetch(`${given.simulator.url}/v1/payment_pages/${id}/confirm`, {
        method: 'POST',
        headers: { Authorization: 'Bearer sk_test_givenkey0001', 'Content-Type': 'application/x-www-form-urlencoded' },
        body: form,
      });
    expect((await confirm('payment_method=pm_card_visa&expected_amount=1')).status).toBe(400);
    expect((await confirm('payment_method=pm_card_visa&expected_amount=2000')).status).toBe(200);
    expect((await stripe.checkout.sessions.retrieve(id)).status).toBe('complete');
  });

  it('leaves no trace in the event list when the dashboard is silent', async () => {
    const { id } = await create();
    const before = eventTypes().length;
    await pay(id, { payment_method: 'pm_card_visa', silent: true });
    expect((await stripe.checkout.sessions.retrieve(id)).status).toBe('complete');
    expect(
      eventTypes()
        .slice(before)
        .filter((type) => type !== 'charge.updated'),
    ).toEqual([]);
  });

  it('can be free', async () => {
    const { id } = await create({
      line_items: [{ price_data: { currency: 'usd', unit_amount: 0, product_data: { name: 'x' } }, quantity: 1 }],
    });
    await pay(id, {});
    expect(await stripe.checkout.sessions.retrieve(id)).toMatchObject({ payment_status: 'no_payment_required', payment_intent: null });
  });
});

describe('A session that is not paid', () => {
  it('expires by itself, with its event and without a way to pay', async () => {
    const { id } = await create({ expires_at: inHours(1) });
    given.simulator.advanceClock(3_540);
    expect((await stripe.checkout.sessions.retrieve(id)).status).toBe('open');
    given.simulator.advanceClock(61);
    expect(await stripe.checkout.sessions.retrieve(id)).toMatchObject({ status: 'expired', url: null, payment_status: 'unpaid' });
    const expired = await eventually(() => given.receiver.received.find(({ event }) => event.type === 'checkout.session.expired'));
    expect(expired.event.request).toEqual({ id: null, idempotency_key: null });
    expect(await pay(id)).toMatchObject({ status: 400, value: { error: { message: expect.stringContaining('has expired') } } });
    expect((await stripe.paymentIntents.list()).data).toEqual([]);
  });

  it('is expired by the merchant once', async () => {
    const { id } = await create();
    expect((await stripe.checkout.sessions.expire(id)).status).toBe('expired');
    expect((await errorOf(stripe.checkout.sessions.expire(id))).message).toContain('has a status of expired');
  });

  it('takes the intent of a declined attempt with it; that cannot be cancelled directly', async () => {
    const { id } = await create();
    await pay(id, { payment_method: 'pm_card_chargeDeclined' });
    const intent = (await stripe.checkout.sessions.retrieve(id)).payment_intent as string;
    const error = await errorOf(stripe.paymentIntents.cancel(intent));
    expect(error).toMatchObject({ statusCode: 400, payment_intent: { id: intent } });
    await stripe.checkout.sessions.expire(id);
    expect((await stripe.paymentIntents.retrieve(intent)).status).toBe('canceled');
  });
});

describe('The hosted page', () => {
  const open = (url: string, form?: Record<string, string>): Promise<Response> =>
    fetch(url, { redirect: 'manual', ...(form && { method: 'POST', body: new URLSearchParams(form) }) });

  it('posts to the host that it was opened at, whatever that is called', async () => {
    const { id, url } = await create();
    const action = /<form[^>]* action="([^"]*)"/.exec(await (await open(url!)).text())?.[1];
    expect(new URL(action!, 'http://simulator.test:12111/elsewhere').href).toBe(`http://simulator.test:12111/__checkout/${id}`);
  });

  it('shows what is bought and redirects after success with the session id', async () => {
    const { id, url } = await create();
    const page = await (await open(url!)).text();
    expect(page).toContain('Tea');
    expect(page).toContain('20.00 usd');
    expect(page).toContain('href="https://shop.example/cart"');
    const paid = await open(url!, { payment_method: 'pm_card_visa', email: 'b@example.com' });
    expect([paid.status, paid.headers.get('location')]).toEqual([303, `https://shop.example/thanks?session=${id}`]);
    expect(await stripe.checkout.sessions.retrieve(id)).toMatchObject({ status: 'complete', customer_details: { email: 'b@example.com' } });
    const again = await open(url!);
    expect([again.status, await again.text()]).toEqual([200, expect.stringContaining('is complete')]);
  });

  it('tells of a decline and lets the customer try again', async () => {
    const { url } = await create();
    const declined = await open(url!, { payment_method: 'pm_card_chargeDeclined' });
    expect([declined.status, await declined.text()]).toEqual([402, expect.stringContaining('Your card was declined.')]);
    expect((await open(url!, { payment_method: 'pm_card_visa' })).status).toBe(303);
  });

  it.each([
    ['succeed', /^https:\/\/shop\.example\/thanks/, 'complete'],
    ['fail', /\/__checkout\//, 'open'],
  ])('leads through the authentication of the card: %s', async (outcome, where, status) => {
    const { id, url } = await create();
    const bank = await open(url!, { payment_method: 'pm_card_threeDSecure2Required' });
    expect(bank.status).toBe(303);
    const done = await open(`${bank.headers.get('location')}?outcome=${outcome}`);
    const back = await open(done.headers.get('location')!);
    expect(back.headers.get('location')).toMatch(where);
    expect((await stripe.checkout.sessions.retrieve(id)).status).toBe(status);
  });

  it('puts nothing of the merchant on the page unescaped', async () => {
    const { url } = await create({
      line_items: [{ price_data: { currency: 'usd', unit_amount: 700, product_data: { name: '<script>x</script>' } }, quantity: 1 }],
    });
    expect(await (await open(url!)).text()).not.toContain('<script>x');
  });

  it('says so when the session is over or unknown', async () => {
    const { id, url } = await create();
    await stripe.checkout.sessions.expire(id);
    expect(await (await open(url!)).text()).toContain('has expired');
    expect((await open(`${given.simulator.url}/__checkout/cs_test_x`)).status).toBe(404);
  });
});
