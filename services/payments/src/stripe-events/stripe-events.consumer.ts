import { type HandledOutcome } from '@tidegate/contracts/events/stripe-event-handled';
import { isAbout, type NormalizedStripeEvent, type StripeEventAbout } from '@tidegate/contracts/events/stripe-event';
import { handledSubject } from '@tidegate/contracts/subjects';
import { type Metadata } from '@tidegate/event-store/event';
import { type Handler, type InContextOf, type Incoming, TransientFailure } from '@tidegate/messaging/incoming';
import { envelope, type OutboxMessage, stage } from '@tidegate/messaging/outbox';
import { type CheckoutSession, type Intent } from '@tidegate/stripe-gateway/intent';
import { type StripeOutcome, type StripePort } from '@tidegate/stripe-gateway/port';
import { scrub } from '@tidegate/telemetry/scrub';
import { currentTraceparent, linkCurrentSpan } from '@tidegate/telemetry/tracing';
import { type Kysely, sql, type Transaction } from 'kysely';
import { type z } from 'zod';
import { foreignRefundId } from '../idempotency/identity.js';
import { type IntentFinder } from '../payment/intent-finder.js';
import { type PaymentMetrics } from '../payment/payment.metrics.js';
import { type Payment, type PaymentState } from '../payment/payment.state.js';
import { commit, commitAll, decided, loadAll, nothingLoaded } from '../payment/payment.store.js';
import { type DecisionRows } from '../payment/write-decisions.js';
import { type PaymentsTables } from '../tables.js';
import { wishRefresh, wishRefreshes } from '../work/work.store.js';
import { describePayment } from '../checkout/adopt-payment.js';
import { type CheckoutNews } from '../checkout/checkout.news.js';
import { type BillingNews, isBilling } from '../observed/billing.news.js';
import { park } from '../parked/parked.store.js';
import { forgetLateComer } from '../customer/customer.erasure.js';
import { isBeingMade, joinCustomerNews } from '../customer/customer.news.js';
import { adopt, type AdoptionRules, isOfCheckout } from './adopt.js';
import { invoiceOf, type InvoiceOf, type PaidInvoice } from './invoice-of.js';
import { ownIntent } from './own-intent.js';
import { pageOf, type PageOf } from './page-of.js';
import { decideNews, isAboutPayments } from './stripe-event.decide.js';

export interface StripeEventsDeps {
  db: Kysely<PaymentsTables>;
  stripe: StripePort;
  finder: IntentFinder;
  clock: { now(): Date };
  rules: AdoptionRules;
  metrics: PaymentMetrics;
  checkouts: CheckoutNews;
  billing: BillingNews;
  onCommitted(): void;
  onWork(): void;
}

export const CONSUMER = 'payments-stripe-events';

/** A webhook that beats the answer of the call that caused it: the payment learns its intent's id within milliseconds, or once Stripe can be asked again. */
const EARLY_RETRY_MS = 200;
/** No news waits longer than it has waited already, nor longer than a quarter of a minute. */
const EARLY_DOUBLINGS = 6;

/** What had to be asked of Stripe before the transaction; `session`: the page that the intent belongs to, `invoice`: what it pays. */
interface Prepared {
  intent: Intent;
  session: CheckoutSession | null;
  invoice: PaidInvoice | null;
}

interface Result {
  outcome: z.infer<typeof HandledOutcome>;
  reason: string | null;
  tenant: string;
}

interface News {
  message: Incoming;
  event: NormalizedStripeEvent;
}
type AboutPayment = News & { paymentId: string };

/** What may have to wait for its checkout, or erases a customer, goes by itself. */
const mayPark = (event: NormalizedStripeEvent): boolean => isAbout(event, 'checkout.session') || event.type === 'customer.deleted';

/** Joins what Stripe tells into payments, in any order and any number of times, and reports what became of each event. */
export class StripeEventsConsumer implements Handler {
  /** What is joined twice changes nothing. */
  readonly replays = 'again';
  /** What each message has to tell the operators, until its transaction has committed. */
  private readonly told = new Map<string, () => void>();

  constructor(private readonly deps: StripeEventsDeps) {}

  /** The intent of an event that no payment stands for; its snapshot would not do, because it may be old. */
  async prepare(message: Incoming): Promise<Prepared | null> {
    const event = message.envelope.data as NormalizedStripeEvent;
    const intentId = event.object.payment_intent;
    if (!isAboutPayments(event) || intentId === null || this.foreignBecause(message)) return null;
    if ((await knownPayments(this.deps.db, [{ message, event }])).length > 0) return null;
    if (this.deps.rules.unmarked === 'foreign' && event.object.object === 'payment_intent' && !isMarked(event) && paysNoInvoice(event))
      return null;
    const outcome = await this.deps.stripe.retrieveIntent(intentId);
    if (outcome.kind === 'not_found') return null;
    if (outcome.kind !== 'ok') throw notAsked(intentId, outcome);
    const own = await ownIntent(this.deps.finder, outcome.value);
    if (own.kind !== 'ok') throw notAsked(intentId, own);
    const intent = own.value;
    const page = await pageOf(this.deps.stripe, intent, this.deps.clock.now());
    if (page.kind !== 'ok') throw notAsked(intentId, page);
    const invoice = await invoiceOf(this.deps, intent);
    if (invoice.kind !== 'ok') throw notAsked(intentId, invoice);
    return { intent, session: page.session, invoice: invoice.invoice };
  }

  async handle(tx: Transaction<PaymentsTables>, message: Incoming, prepared: unknown): Promise<void> {
    const event = message.envelope.data as NormalizedStripeEvent;
    this.told.delete(message.messageId);
    await this.report(tx, message, await this.join(tx, message, event, prepared as Prepared | null));
  }

  /** What is about payments that are known here, in as few statements as one of them would take, and what is none of ours or of nobody's interest. */
  async handleSome(tx: Transaction<PaymentsTables>, messages: readonly Incoming[], inContextOf: InContextOf): Promise<Incoming[]> {
    for (const { messageId } of messages) this.told.delete(messageId);
    const news = messages.map((message) => ({ message, event: message.envelope.data as NormalizedStripeEvent }));
    const others = news.filter(({ message, event }) => !isAboutPayments(event) || this.foreignBecause(message) !== null);
    const results = await this.joinKnown(
      tx,
      await knownPayments(
        tx,
        news.filter((one) => !others.includes(one)),
      ),
      inContextOf,
    );
    for (const { message, event } of others)
      if (this.foreignBecause(message) !== null || !mayPark(event))
        results.set(message, await inContextOf(message, () => this.join(tx, message, event, null)));
    const reports = [...results].flatMap(([message, result]) => inContextOf(message, () => this.reportOf(message, result)));
    await stage(tx, reports);
    return messages.filter((message) => !results.has(message));
  }

  async gaveUp(tx: Transaction<PaymentsTables>, message: Incoming, reason: string): Promise<void> {
    await this.report(tx, message, { outcome: 'failed', reason: scrub(reason), tenant: message.envelope.tenant });
  }

  /** What a parked message waited for never came. */
  async disown(tx: Transaction<PaymentsTables>, message: Incoming): Promise<void> {
    await this.report(tx, message, { outcome: 'foreign', reason: 'no such checkout', tenant: message.envelope.tenant });
  }

  private async report(tx: Transaction<PaymentsTables>, message: Incoming, result: Result): Promise<void> {
    await stage(tx, this.reportOf(message, result));
  }

  private reportOf(message: Incoming, result: Result): OutboxMessage[] {
    const { stripe_event_id } = message.envelope.data as Partial<NormalizedStripeEvent>;
    // What is no Stripe event at all, nobody can be told of.
    if (typeof stripe_event_id !== 'string') return [];
    const subject = handledSubject('payments');
    return [
      {
        aggregate: `stripe_event:${stripe_event_id}`,
        subject,
        envelope: envelope(subject, {
          tenant: result.tenant,
          aggregateId: stripe_event_id,
          aggregateVersion: 1,
          occurredAt: this.deps.clock.now(),
          correlationId: message.envelope.correlation_id,
          causationId: message.envelope.id,
          traceparent: currentTraceparent(),
          data: { stripe_event_id, consumer: CONSUMER, outcome: result.outcome, reason: result.reason },
        }),
      },
    ];
  }

  afterCommit(message: Incoming): void {
    const tell = this.told.get(message.messageId);
    this.told.delete(message.messageId);
    tell?.();
    this.deps.onCommitted();
    this.deps.onWork();
  }

  private async join(
    tx: Transaction<PaymentsTables>,
    message: Incoming,
    event: NormalizedStripeEvent,
    prepared: Prepared | null,
  ): Promise<Result> {
    const tenant = message.envelope.tenant;
    const foreign = this.foreignBecause(message);
    if (foreign) return { outcome: 'foreign', reason: foreign, tenant };
    if (isAbout(event, 'checkout.session')) return this.joinCheckout(tx, message, event);
    if (isBilling(event)) {
      const { tell, ...result } = await this.deps.billing.join(tx, message, event, metadataOf(message, event));
      this.told.set(message.messageId, tell);
      return result;
    }
    if (event.type === 'customer.deleted') return this.joinCustomer(tx, message, event);
    if (!isAboutPayments(event)) return { outcome: 'ignored', reason: null, tenant };
    const known = await knownPayments(tx, [{ message, event }]);
    if (known.length === 0) return this.adopt(tx, message, event, prepared);
    const result = (await this.joinKnown(tx, known, (_, work) => work())).get(message);
    if (!result) throw new TransientFailure('The payment has not recorded its intent yet', earlyPause(message));
    return result;
  }

  private async joinCheckout(
    tx: Transaction<PaymentsTables>,
    message: Incoming,
    event: StripeEventAbout<'checkout.session'>,
  ): Promise<Result> {
    const result = await this.deps.checkouts.join(tx, event, metadataOf(message, event));
    this.told.set(message.messageId, result.tell);
    if (result.outcome === 'parked') await park(tx, message, result.parent, this.deps.clock.now());
    return { outcome: result.outcome, reason: result.reason, tenant: result.tenant ?? message.envelope.tenant };
  }

  private async joinCustomer(tx: Transaction<PaymentsTables>, message: Incoming, event: NormalizedStripeEvent): Promise<Result> {
    const { correlation_id, causation_id, traceparent } = metadataOf(message, event);
    const tenant = await joinCustomerNews(tx, event, { now: this.deps.clock.now(), correlation_id, causation_id, traceparent });
    if (tenant === null && (await isBeingMade(tx, event)))
      throw new TransientFailure('The customer has not recorded its id yet', earlyPause(message));
    if (tenant === null) return { outcome: 'ignored', reason: null, tenant: message.envelope.tenant };
    return { outcome: 'processed', reason: null, tenant };
  }

  /** Before anything is looked up: another account's objects may carry any metadata, and its ids are not ours to ask for. */
  private foreignBecause({ envelope: { account, data } }: Incoming): string | null {
    if (account !== null) return 'another account';
    return (data as NormalizedStripeEvent).livemode === this.deps.rules.livemode ? null : 'other livemode';
  }

  /** Without an answer stays what is early. */
  private async joinKnown(
    tx: Transaction<PaymentsTables>,
    known: readonly AboutPayment[],
    inContextOf: InContextOf,
  ): Promise<Map<Incoming, Result>> {
    const results = new Map<Incoming, Result>();
    if (known.length === 0) return results;
    const byPayment = Map.groupBy(known, ({ paymentId }) => paymentId);
    const ids = [...byPayment.keys()];
    // Held until the commit, so that the flow's own next step waits and then sees what we wrote.
    await tx
      .selectFrom('payments')
      .select('id')
      .where('id', '=', sql<string>`ANY(${ids}::text[])`)
      .orderBy('id')
      .forUpdate()
      .execute();
    const loaded = await loadAll(tx, ids);
    const now = this.deps.clock.now();
    const wishes = new Set<string>();
    // A statement writes one decision about a payment: the first news of each payment go together, then the second ones.
    const longest = Math.max(...[...byPayment.values()].map((news) => news.length));
    for (let nth = 0; nth < longest; nth += 1) {
      const decisions: DecisionRows[] = [];
      for (const [paymentId, news] of byPayment) {
        const one = news[nth];
        const before = loaded.get(paymentId);
        if (!one || !before) continue;
        const { message, event } = one;
        const payment = before.state as Payment;
        const meaning = decideNews(payment, event, foreignRefundId(event.object.id));
        if (meaning.kind === 'early') continue;
        inContextOf(message, () => {
          // Stripe's delivery begins a trace of its own.
          linkCurrentSpan(before.traceparent);
          if (meaning.events.length === 0) return;
          const { after, rows } = decided({ paymentId, before, events: meaning.events, now, metadata: metadataOf(message, event) });
          decisions.push(rows);
          loaded.set(paymentId, { ...before, ...after });
          this.told.set(message.messageId, () => this.deps.metrics.changed(payment, after.state));
        });
        if (meaning.refresh || meaning.events.some(({ type }) => type === 'OrphanIntentFound')) wishes.add(paymentId);
        results.set(message, { outcome: 'processed', reason: null, tenant: payment.terms.tenant });
      }
      await commitAll(tx, decisions);
    }
    await wishRefreshes(tx, [...wishes], now);
    return results;
  }

  private async adopt(
    tx: Transaction<PaymentsTables>,
    message: Incoming,
    event: NormalizedStripeEvent,
    prepared: Prepared | null,
  ): Promise<Result> {
    const tenant = message.envelope.tenant;
    if (!prepared) return { outcome: 'foreign', reason: 'no intent of ours', tenant };
    const now = this.deps.clock.now();
    const { intent, session, invoice } = prepared;
    const adoption = adopt(intent, this.deps.rules, now, { session: session?.id ?? null, invoice, tenant });
    if (adoption.kind === 'foreign') return { outcome: 'foreign', reason: adoption.reason, tenant };
    const paymentId = adoption.terms.payment_id;
    if (await hasAnotherIntent(tx, paymentId, intent.id)) return { outcome: 'foreign', reason: 'a further intent of a payment', tenant };
    const none: PaymentState = nothingLoaded.state;
    const after = await commit(tx, {
      paymentId,
      before: nothingLoaded,
      events: adoption.events,
      now,
      metadata: metadataOf(message, event),
    });
    await describePayment(tx, intent, paymentId, session?.email ?? null);
    await forgetLateComer(tx, intent.customer, now);
    this.told.set(message.messageId, () => this.deps.metrics.changed(none, after.state));
    if (intent.status === 'succeeded') await wishRefresh(tx, paymentId, now);
    return { outcome: 'processed', reason: 'adopted', tenant: adoption.terms.tenant };
  }
}

const metadataOf = (message: Incoming, event: NormalizedStripeEvent): Metadata => ({
  correlation_id: message.envelope.correlation_id,
  causation_id: message.envelope.id,
  traceparent: currentTraceparent(),
  actor: 'stripe',
  stripe_event_id: event.stripe_event_id,
});

const earlyPause = ({ attempt }: Incoming): number => EARLY_RETRY_MS * 2 ** Math.min(attempt - 1, EARLY_DOUBLINGS);

const isMarked = ({ object: { metadata } }: NormalizedStripeEvent): boolean => !!metadata['payment_id'] || isOfCheckout({ metadata });

/** Invoices always have a customer. */
const paysNoInvoice = ({ object }: NormalizedStripeEvent): boolean => object.customer === null;

function notAsked(id: string, outcome: StripeOutcome<unknown> | Exclude<PageOf | InvoiceOf, { kind: 'ok' }>): TransientFailure {
  const retryAfterMs = 'retryAfterMs' in outcome ? outcome.retryAfterMs : undefined;
  return new TransientFailure(`Stripe could not be asked about ${id}: ${outcome.kind}`, retryAfterMs);
}

/** News of which the payment is here: by the intent, else by our id in the metadata of an intent whose id is not recorded (yet). */
async function knownPayments(db: Kysely<PaymentsTables>, news: readonly News[]): Promise<AboutPayment[]> {
  if (news.length === 0) return [];
  const intents = news.map(({ event }) => event.object.payment_intent);
  const { rows } = await sql<{ id: string; stripe_payment_intent: string | null }>`
    SELECT id, stripe_payment_intent FROM payments
    WHERE stripe_payment_intent = ANY(${intents}::text[]) OR id = ANY(${news.map(({ event }) => markOf(event))}::text[])`.execute(db);
  const byIntent = new Map(rows.map((row) => [row.stripe_payment_intent, row.id]));
  const ids = new Set(rows.map((row) => row.id));
  return news.flatMap((one) => {
    const mark = markOf(one.event);
    const paymentId = byIntent.get(one.event.object.payment_intent) ?? (mark !== null && ids.has(mark) ? mark : null);
    return paymentId === null ? [] : [{ ...one, paymentId }];
  });
}

/** Whoever made a further one with the id of a payment: its own news tell the payment of it, and its charges and refunds are not the payment's. */
async function hasAnotherIntent(db: Kysely<PaymentsTables>, paymentId: string, intentId: string): Promise<boolean> {
  const query = db.selectFrom('payments').select('id').where('id', '=', paymentId).where('stripe_payment_intent', '<>', intentId);
  return (await query.executeTakeFirst()) !== undefined;
}

const markOf = ({ object }: NormalizedStripeEvent): string | null =>
  object.object === 'payment_intent' ? (object.metadata['payment_id'] ?? null) : null;
