import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type PaymentView } from '@tidegate/contracts/responses';
import { rebuildPayments } from '../src/payment/payment.rebuild.js';
import { wishRefresh } from '../src/work/work.store.js';
import { type PaymentsWorld, paymentsWorld } from './payments-world.js';
import { catchUp, deliver, newsOf } from './stripe-news.js';

jest.setTimeout(60_000);

describe('A dispute', () => {
  let world: PaymentsWorld;
  beforeAll(async () => {
    world = await paymentsWorld();
  });
  afterAll(() => world.close());

  const disputed = async (body: object = {}): Promise<PaymentView> => {
    const payment = await world.created();
    await world.dashboard('dispute', { payment_intent: payment.stripe_payment_intent, ...body });
    return payment;
  };
  const close = (payment: PaymentView, outcome: string) =>
    world.dashboard('close_dispute', { payment_intent: payment.stripe_payment_intent, outcome });
  const factsOf = async (id: string) =>
    (
      await world.db
        .selectFrom('outbox' as never)
        .select(['subject', 'id'] as never)
        .where('aggregate' as never, '=', id as never)
        .orderBy('id' as never)
        .execute()
    )
      .map((row) => (row as { subject: string }).subject.split('.')[3])
      .filter((fact) => fact?.startsWith('dispute'));
  const disputeEvents = async (id: string) => (await world.timeline(id)).filter(({ type }) => type.startsWith('Dispute'));

  it('that is a chargeback shows what was taken, what it costs and until when to answer', async () => {
    const { id, stripe_payment_intent } = await disputed({ reason: 'product_not_received' });
    await catchUp(world, stripe_payment_intent);
    const view = await world.get(id);
    expect(view).toMatchObject({
      status: 'succeeded',
      amount_refunded: 0,
      dispute: {
        kind: 'chargeback',
        status: 'needs_response',
        amount: 4200,
        currency: 'usd',
        reason: 'product_not_received',
        respond_by: expect.stringMatching(/Z$/),
        funds: { currency: 'usd', withdrawn: 4200, reinstated: 0, fee: 1500 },
      },
    });
    expect(view.disputes).toEqual([view.dispute]);
    expect(await factsOf(id)).toEqual(['dispute_opened', 'dispute_funds_withdrawn']);
    expect((await disputeEvents(id)).map(({ summary }) => summary)).toEqual([
      expect.stringMatching(
        /^The customer's bank charges 42\.00 USD of this payment back \(reason: product_not_received\)\. Evidence can be submitted/,
      ),
      "42.00 USD was taken for the dispute, and 15.00 USD as Stripe's fee.",
    ]);
  });

  it('that is won brings the money back, and the payment can be refunded again', async () => {
    const payment = await disputed();
    await close(payment, 'won');
    await catchUp(world, payment.stripe_payment_intent);
    const { dispute } = await world.get(payment.id);
    expect(dispute).toMatchObject({ status: 'won', funds: { withdrawn: 4200, reinstated: 4200, fee: 1500 } });
    expect(await factsOf(payment.id)).toEqual(['dispute_opened', 'dispute_funds_withdrawn', 'dispute_closed', 'dispute_funds_reinstated']);
    expect(world.json<{ status: string }>(await world.refund(payment.id)).status).toBe('succeeded');
  });

  it('that is lost is final, and a refund of it gets the certain answer of Stripe, the same each time', async () => {
    const payment = await disputed();
    await close(payment, 'lost');
    await catchUp(world, payment.stripe_payment_intent);
    expect((await world.get(payment.id)).dispute).toMatchObject({ status: 'lost', funds: { withdrawn: 4200, reinstated: 0 } });
    const refused = await world.refund(payment.id, {}, 'refund-of-a-chargeback');
    expect([refused.status, world.json<{ code: string; detail: string }>(refused)]).toMatchObject([
      422,
      { code: 'payments.rejected_by_stripe', detail: expect.stringContaining('charge_disputed') },
    ]);
    expect(await world.refund(payment.id, {}, 'refund-of-a-chargeback')).toEqual(refused);
    await world.settle();
    expect(await world.get(payment.id)).toMatchObject({ amount_refunded: 0, refunds: [{ status: 'failed' }] });
  });

  it('that is an inquiry moves no money, is closed by a full refund, and may become a chargeback instead', async () => {
    const [asked, escalated] = [await disputed({ kind: 'inquiry', reason: 'general' }), await disputed({ kind: 'inquiry' })];
    await catchUp(world, asked.stripe_payment_intent);
    expect((await world.get(asked.id)).dispute).toMatchObject({ kind: 'inquiry', status: 'warning_needs_response', funds: null });
    await world.refund(asked.id);
    await catchUp(world, asked.stripe_payment_intent);
    expect((await world.get(asked.id)).dispute).toMatchObject({ kind: 'inquiry', status: 'warning_closed', funds: null });

    await catchUp(world, escalated.stripe_payment_intent);
    await close(escalated, 'escalated');
    await catchUp(world, escalated.stripe_payment_intent);
    expect((await world.get(escalated.id)).dispute).toMatchObject({
      kind: 'chargeback',
      status: 'needs_response',
      funds: { withdrawn: 4200 },
    });
    expect((await disputeEvents(escalated.id)).map(({ summary }) => summary)).toContainEqual(
      expect.stringMatching(/^The inquiry became a chargeback\./),
    );
  });

  it('whose evidence went out is under review until the bank has decided', async () => {
    const payment = await disputed();
    const [dispute] = world.truth().disputes.filter((one) => one.payment_intent === payment.stripe_payment_intent);
    await world.stripe(`disputes/${dispute?.id}`, { 'evidence[uncategorized_text]': 'winning_evidence' });
    await catchUp(world, payment.stripe_payment_intent);
    expect((await world.get(payment.id)).dispute?.status).toBe('under_review');
    world.advance(120_000);
    await catchUp(world, payment.stripe_payment_intent);
    expect((await world.get(payment.id)).dispute?.status).toBe('won');
  });

  it('can be one of several: the open one is shown, all are listed', async () => {
    const payment = await disputed({ amount: 1000 });
    await close(payment, 'won');
    world.advance(1000);
    await world.dashboard('dispute', { payment_intent: payment.stripe_payment_intent, amount: 2000 });
    await catchUp(world, payment.stripe_payment_intent);
    const { dispute, disputes } = await world.get(payment.id);
    expect(dispute).toMatchObject({ status: 'needs_response', amount: 2000 });
    expect(disputes?.map(({ status, amount }) => [status, amount])).toEqual([
      ['won', 1000],
      ['needs_response', 2000],
    ]);
  });

  it.each(['won', 'lost'] as const)('that is %s stays so, in whatever order and however often its news comes', async (outcome) => {
    const payment = await disputed({ kind: 'inquiry' });
    await close(payment, 'escalated');
    await close(payment, outcome);
    await catchUp(world, payment.stripe_payment_intent, (news) => news.toReversed());
    const reversed = await world.get(payment.id);
    expect(reversed.dispute).toMatchObject({ status: outcome, funds: { withdrawn: 4200, reinstated: outcome === 'won' ? 4200 : 0 } });
    await catchUp(world, payment.stripe_payment_intent, (news) => [...news, ...news]);
    expect(await world.get(payment.id)).toEqual(reversed);
  });

  it('whose news never came is found when Stripe is asked how the payment stands', async () => {
    const payment = await disputed({ silent: true });
    await wishRefresh(world.db, payment.id, world.clock.now());
    await world.settle();
    expect((await world.get(payment.id)).dispute).toMatchObject({ status: 'needs_response', funds: { withdrawn: 4200 } });
  });

  it('whose amount and deadline were changed at Stripe shows the new ones, not those of a late event', async () => {
    const payment = await disputed();
    await catchUp(world, payment.stripe_payment_intent);
    const [dispute] = world.truth().disputes.filter((one) => one.payment_intent === payment.stripe_payment_intent);
    const due_by = (dispute?.evidence_details.due_by ?? 0) + 86_400;
    await world.dashboard('edit', {
      id: dispute?.id,
      changes: { amount: 4000, evidence_details: { ...dispute?.evidence_details, due_by } },
    });
    await catchUp(world, payment.stripe_payment_intent, (news) => news.toReversed());
    expect((await world.get(payment.id)).dispute).toMatchObject({ amount: 4000, respond_by: new Date(due_by * 1000).toISOString() });
  });

  it('of a payment that nobody here made adopts the payment with it', async () => {
    const intent = await world.stripe('payment_intents', {
      amount: '1500',
      currency: 'eur',
      confirm: 'true',
      payment_method: 'pm_card_visa',
      'automatic_payment_methods[enabled]': 'true',
      'automatic_payment_methods[allow_redirects]': 'never',
    });
    await world.dashboard('dispute', { payment_intent: intent['id'] });
    const news = newsOf(world).filter((one) => one.aggregate === intent['id'] && one.envelope.type.startsWith('charge.dispute'));
    for (const message of news) await deliver(world, message);
    await world.settle();
    const row = await world.db
      .selectFrom('payments')
      .select('id')
      .where('stripe_payment_intent', '=', String(intent['id']))
      .executeTakeFirstOrThrow();
    expect(await world.get(row.id)).toMatchObject({
      origin: 'dashboard',
      status: 'succeeded',
      dispute: { status: 'needs_response', amount: 1500 },
    });
  });

  it('is counted by status, with the time that is left to answer', async () => {
    const counted = await world.series('payments_disputes');
    const truth = world.truth().disputes;
    for (const status of ['needs_response', 'won', 'lost', 'warning_closed', 'under_review'])
      expect({ status, n: counted[`status="${status}"`] }).toEqual({ status, n: truth.filter((one) => one.status === status).length });
    const left = (await world.series('payments_dispute_respond_by_seconds'))[''] ?? 0;
    expect(left).toBeGreaterThan(86_400);
    expect(left).toBeLessThan(14 * 86_400);
  });

  it('is rebuilt from the events like everything else', async () => {
    const rows = () => world.db.selectFrom('payments').selectAll().orderBy('id').execute();
    const before = await rows();
    await rebuildPayments(world.db);
    expect(await rows()).toEqual(before);
  });
});
