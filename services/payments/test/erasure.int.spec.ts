import { type CheckoutView, type CustomerView, type PaymentView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { sql } from 'kysely';
import { rebuildCheckouts } from '../src/checkout/checkout.rebuild.js';
import { paymentIdOf } from '../src/idempotency/identity.js';
import { rebuildPayments } from '../src/payment/payment.rebuild.js';
import { wakeOne } from '../src/work/wake.js';
import { checkoutWorld, type CheckoutWorld } from './checkout-world.js';

jest.setTimeout(60_000);

const HOUR = 3_600_000;

describe('An erased customer', () => {
  let world: CheckoutWorld;
  beforeAll(async () => {
    world = await checkoutWorld();
  });
  afterAll(() => world.close());

  const made = async (who: string): Promise<string> => {
    const body = { email: `${who}@example.com`, name: who, metadata: { note: who } };
    return world.json<CustomerView>(await world.send(RPC.customerCreate, { body })).id;
  };
  const erase = (id: string) => world.send(RPC.customerErase, { params: { id }, body: { reason: 'asked to' }, key: null });
  const about = (who: string) => ({
    receipt_email: `${who}@example.com`,
    description: `for ${who}`,
    locale: 'de',
    return_url: `https://shop.example/back?of=${who}`,
    metadata: { note: who, order: '7' },
  });
  const page = (who: string) => ({
    line_items: [{ name: `A vase for ${who}`, quantity: 2, unit_amount: 2100 }],
    success_url: `https://shop.example/done?of=${who}`,
    cancel_url: `https://shop.example/back?of=${who}`,
    metadata: { note: who },
  });
  const projections = async () => [
    await world.db.selectFrom('payments').selectAll().orderBy('id').execute(),
    await world.db.selectFrom('checkouts').selectAll().orderBy('id').execute(),
  ];

  /** The tables of the schema where a text stands, in whatever column. */
  async function whereabouts(text: string): Promise<string[]> {
    const { rows } = await sql<{ name: string }>`
      SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'payments' AND table_type = 'BASE TABLE'`.execute(
      world.db,
    );
    expect(rows.length).toBeGreaterThan(10);
    const hex = Buffer.from(text).toString('hex');
    const found = await Promise.all(
      rows.map(async ({ name }) => {
        const held = await sql`
          SELECT FROM ${sql.table(name)} AS t WHERE position(${text} IN t::text) > 0 OR position(${hex} IN t::text) > 0 LIMIT 1`.execute(
          world.db,
        );
        return held.rows.length > 0 ? [name] : [];
      }),
    );
    return found.flat().toSorted();
  }

  it('leaves nothing of what payments that have ended were told, and whoever repeats a request still learns of its payment', async () => {
    const customer = await made('Grace');
    const paid = await world.create({ customer, ...about('Grace') }, { key: 'paid-by-grace' });
    expect(world.json(paid)).toMatchObject({ status: 'succeeded', metadata: { note: 'Grace', order: '7' } });
    const acting = await world.created({ customer, ...about('Grace'), payment_method: 'pm_card_threeDSecure2Required' });
    expect(acting.next_action).toBeDefined();
    await world.cancel(acting.id);
    await world.settle();
    expect(await whereabouts('Grace')).toEqual(['customers', 'idempotency_keys', 'payments', 'request_details']);

    await erase(customer);
    expect(await whereabouts('Grace')).toEqual([]);
    const { id } = world.json(paid);
    expect(await world.get(id)).toMatchObject({ status: 'succeeded', metadata: {} });
    const again = await world.create({ customer, ...about('Grace') }, { key: 'paid-by-grace' });
    expect(again.status).toBe(201);
    expect(world.json<PaymentView>(again)).toEqual({ ...world.json<PaymentView>(paid), metadata: {} });
  });

  it('leaves nothing of what checkouts that have ended were told; of those that were paid, the items stay with the payment', async () => {
    const customer = await made('Edsger');
    const unpaid = await world.open({ customer, ...page('Edsger') }, { key: 'page-of-edsger' });
    await world.expire(world.view(unpaid).id);
    const paid = await world.opened({ customer, ...page('Edsger'), line_items: [{ name: 'Vase', quantity: 2, unit_amount: 2100 }] });
    expect(await world.pay(paid.stripe_checkout_session)).toBe(200);
    await world.tell();
    await world.settle(HOUR);
    const { payment } = await world.seen(paid.id);
    expect(await whereabouts('Edsger')).toEqual(['checkouts', 'customers', 'idempotency_keys', 'payments', 'request_details']);

    await erase(customer);
    expect(await whereabouts('Edsger')).toEqual([]);
    expect(await whereabouts('payer@example.com')).toEqual([]);
    const reply = await world.send(RPC.paymentGet, { params: { id: payment ?? '' }, query: { expand: 'details' } });
    expect(JSON.parse(reply.body)).toMatchObject({ status: 'succeeded', details: { line_items: [{ name: 'Vase' }], receipt_email: null } });
    expect((await world.seen(paid.id)).metadata).toEqual({});
    const again = await world.open({ customer, ...page('Edsger') }, { key: 'page-of-edsger' });
    expect(again.status).toBe(201);
    expect(world.json<CheckoutView>(again)).toEqual({ ...world.view(unpaid), url: null, metadata: {} });
  });

  it('leaves nothing of the answer to who closed a page that was closed already, and a repetition still learns that it is', async () => {
    const customer = await made('Frances');
    const { id } = await world.opened({ customer, ...page('Frances') });
    await world.expire(id);
    const closed = await world.expire(id, 'closed-again');
    const byHand = await world.window(id, { action: 'expire' }, 'closed-by-hand');
    for (const reply of [closed, byHand]) expect(world.view(reply)).toMatchObject({ status: 'expired', metadata: { note: 'Frances' } });

    await erase(customer);
    expect(await whereabouts('Frances')).toEqual([]);
    const again = await world.expire(id, 'closed-again');
    expect([again.status, world.view(again)]).toEqual([200, { ...world.view(closed), metadata: {} }]);
  });

  it('gets no page any more, and is forgotten by the one that is open when its window has ended', async () => {
    const customer = await made('Barbara');
    const ended = await world.opened({ customer, ...page('Barbara') });
    await world.expire(ended.id);
    const open = await world.opened({ customer, ...page('Barbara') });
    await erase(customer);
    for (const { id } of [ended, open]) {
      const reply = await world.window(id, { action: 'extend' });
      expect([reply.status, JSON.parse(reply.body).code]).toEqual([422, 'payments.illegal_state']);
    }
    expect(await whereabouts('vase for Barbara')).toEqual(['request_details']);
    await world.settle(60 * HOUR);
    expect((await world.seen(open.id)).status).toBe('expired');
    expect(await whereabouts('Barbara')).toEqual([]);
  });

  it('leaves nothing of an answer either that was stored while the customer was erased', async () => {
    const customer = await made('Tony');
    const paid = await world.create({ customer, ...about('Tony') });
    await world.settle();
    await erase(customer);
    await sql`UPDATE idempotency_keys SET body = ${paid.body} WHERE payment_id = ${world.json(paid).id}`.execute(world.db);
    await world.settle(30 * HOUR);
    expect(await whereabouts('Tony')).toEqual([]);
  });

  it('that waits for payments to end is not taken for one that waits for Stripe', async () => {
    await world.settle(60 * HOUR);
    const customer = await made('Donald');
    const payment = await world.created({ customer, capture_method: 'manual', ...about('Donald') });
    await erase(customer);
    await world.settle(HOUR);
    expect(await wakeOne(world.db, world.clock.now())).toBe(false);
    await world.capture(payment.id);
    await world.settle(60 * HOUR);
    expect(await whereabouts('Donald')).toEqual([]);
  });

  it('that was not made here, but pays here, is forgotten when it is deleted at Stripe', async () => {
    const { id } = await world.stripe('customers', { 'metadata[tenant_id]': 'default' });
    const unused = await world.stripe('customers', { 'metadata[tenant_id]': 'default' });
    const payment = await world.created({ customer: id, ...about('Margaret') });
    await world.settle(HOUR);
    const headers = { authorization: 'Bearer sk_test_simulator' };
    for (const one of [id, unused['id']]) await fetch(`${world.simulator.url}/v1/customers/${one}`, { method: 'DELETE', headers });
    await world.tell();
    expect(await whereabouts('Margaret')).toEqual([]);
    expect(await world.get(payment.id)).toMatchObject({ status: 'succeeded', metadata: {} });
    const { rows } = await sql<{ aggregate: string }>`
      SELECT aggregate FROM outbox WHERE subject = 'payments.events.customer.erased.v1' AND aggregate IN (${id}, ${unused['id']})`.execute(
      world.db,
    );
    expect(rows).toEqual([{ aggregate: id }]);
    expect(world.json<CustomerView>(await world.send(RPC.customerGet, { params: { id: String(id) } }))).toMatchObject({ status: 'erased' });
  });

  it('leaves nothing of the answer either to a repetition whose payment came back by the news of Stripe after a restore', async () => {
    const customer = await made('Hedy');
    const key = 'of-hedy';
    const scope = { tenant: 'default', route: 'POST /v1/payments', key };
    await world.stripe('payment_intents', {
      ...{ amount: '4200', currency: 'usd', confirm: 'true', payment_method: 'pm_card_visa', customer, 'metadata[note]': 'Hedy' },
      ...{ 'automatic_payment_methods[enabled]': 'true', 'automatic_payment_methods[allow_redirects]': 'never' },
      ...{ 'metadata[tenant_id]': 'default', 'metadata[payment_id]': paymentIdOf(scope) },
    });
    await world.tell();
    const repeated = await world.create({ customer }, { key });
    expect([repeated.status, world.json(repeated)]).toMatchObject([201, { id: paymentIdOf(scope), metadata: { note: 'Hedy' } }]);
    await world.settle(HOUR);

    await erase(customer);
    expect(await whereabouts('Hedy')).toEqual([]);
    const again = await world.create({ customer }, { key });
    expect([again.status, world.json(again)]).toEqual([201, { ...world.json(repeated), metadata: {} }]);
  });

  it('is forgotten by a payment, too, that becomes known only days after', async () => {
    const customer = await made('Radia');
    const intent = await world.stripe('payment_intents', {
      ...{ amount: '1500', currency: 'eur', confirm: 'true', payment_method: 'pm_card_visa', customer, 'metadata[buyer]': 'Radia' },
      ...{ 'automatic_payment_methods[enabled]': 'true', 'automatic_payment_methods[allow_redirects]': 'never' },
    });
    await erase(customer);
    await world.settle(60 * HOUR);
    expect(await whereabouts('Radia')).toEqual([]);
    world.advance(60 * HOUR);
    await world.tell();
    await world.settle(60 * HOUR);
    const { rows } = await sql<{ id: string }>`SELECT id FROM payments WHERE stripe_payment_intent = ${String(intent['id'])}`.execute(
      world.db,
    );
    expect(await world.get(rows[0]?.id ?? '')).toMatchObject({ status: 'succeeded', metadata: {} });
    expect(await whereabouts('Radia')).toEqual([]);
  });

  it('leaves projections that come out equal from the events and what stands beside them, before and after', async () => {
    const customer = await made('Alan');
    await world.created({ customer, ...about('Alan') });
    const { id } = await world.opened({ customer, ...page('Alan') });
    const rebuilt = async () => {
      const before = await projections();
      await rebuildPayments(world.db);
      await rebuildCheckouts(world.db);
      expect(await projections()).toEqual(before);
      return JSON.stringify(before);
    };
    expect(await rebuilt()).toContain('"note":"Alan"');
    await world.expire(id);
    await erase(customer);
    expect(await rebuilt()).not.toContain('Alan');
  });
});

describe('What a tenant wrote on a payment', () => {
  let world: CheckoutWorld;
  beforeAll(async () => {
    world = await checkoutWorld({ deadlineMs: 300 });
  });
  afterAll(() => world.close());

  it.each(['reset_before', 'error_500_before'] as const)(
    'reaches Stripe under every key, also when the first answer is %s',
    async (fault) => {
      world.simulator.addFault({ fault, route: 'POST /v1/payment_intents', times: 1 });
      const { id } = await world.created({ metadata: { order: fault } });
      await world.settle();
      expect(world.intentsOf(id).map(({ metadata }) => metadata['order'])).toEqual([fault]);
      expect(await world.get(id)).toMatchObject({ status: 'succeeded', metadata: { order: fault } });
    },
  );

  it('that was not made here stands beside the stream, too', async () => {
    const intent = await world.stripe('payment_intents', {
      ...{ amount: '1500', currency: 'eur', confirm: 'true', payment_method: 'pm_card_visa', 'metadata[buyer]': 'Linus' },
      ...{ 'automatic_payment_methods[enabled]': 'true', 'automatic_payment_methods[allow_redirects]': 'never' },
    });
    await world.tell();
    const { rows } = await sql<{ id: string; metadata: object }>`
      SELECT id, metadata FROM payments WHERE stripe_payment_intent = ${String(intent['id'])}`.execute(world.db);
    expect(rows[0]?.metadata).toEqual({ buyer: 'Linus' });
    const events = await sql`SELECT data FROM events WHERE stream = ${`payment:${rows[0]?.id}`}`.execute(world.db);
    expect(JSON.stringify(events.rows)).not.toContain('Linus');
  });
});
