import { type StripeEventAbout } from '@tidegate/contracts/events/stripe-event';
import { CheckoutId } from '@tidegate/contracts/ids';
import { type HandledOutcome } from '@tidegate/contracts/events/stripe-event-handled';
import { type Metadata } from '@tidegate/event-store/event';
import { type Logger } from '@tidegate/telemetry/logger';
import { sql, type Transaction } from 'kysely';
import { type z } from 'zod';
import { type PaymentsTables } from '../tables.js';
import { answer } from '../idempotency/idempotency.store.js';
import { type Signals } from '../work/signals.js';
import { wasRestoredSince } from '../work/restores.store.js';
import { wishRefresh } from '../work/work.store.js';
import { type LatePolicy } from './checkout.events.js';
import { type CheckoutMetrics } from './checkout.metrics.js';
import { answersOf } from './checkout.reply.js';
import { decideNews, type Meaning } from './news.decide.js';
import { type Checkout } from './checkout.state.js';
import { commit, load } from './checkout.store.js';

export interface CheckoutNewsDeps {
  clock: { now(): Date };
  logger: Logger;
  signals: Signals;
  checkoutMetrics: CheckoutMetrics;
  latePolicy: LatePolicy;
}

type CheckoutSessionEvent = StripeEventAbout<'checkout.session'>;

interface Told {
  reason: string | null;
  /** Null when it is none of ours. */
  tenant: string | null;
  /** Tells the operators, after the commit. */
  tell(): void;
}

/** `parked`: it is about `parent`, which is not here, and may come. */
export type NewsResult = Told & ({ outcome: Exclude<z.infer<typeof HandledOutcome>, 'parked'> } | { outcome: 'parked'; parent: string });

const nobody = { tenant: null, tell: () => undefined };

/** What Stripe tells about pages, joined into checkouts in any order and any number of times. */
export class CheckoutNews {
  constructor(private readonly deps: CheckoutNewsDeps) {}

  async join(tx: Transaction<PaymentsTables>, event: CheckoutSessionEvent, metadata: Metadata): Promise<NewsResult> {
    const checkoutId = await findCheckoutId(tx, event);
    if (checkoutId === null) return withoutCheckout(event);
    // Held until the commit, so that the flow's own next step waits and then sees what we wrote.
    await tx.selectFrom('checkouts').select('id').where('id', '=', checkoutId).forUpdate().execute();
    const before = await load(tx, checkoutId);
    const checkout = before.state as Checkout;
    const now = this.deps.clock.now();
    const restored = await wasRestoredSince(tx, checkout.created_at);
    const meaning = decideNews(checkout, event, now, { policy: this.deps.latePolicy, restored });
    let after = checkout;
    if (meaning.events.length > 0) {
      after = (await commit(tx, { checkoutId, before, events: meaning.events, now, metadata })).state;
      // The news may be what a request waits for.
      await answer(tx, await answersOf(tx, after, meaning.events), now);
    }
    const missesPayment = after.payment_id !== null && !(await isKnown(tx, after.payment_id));
    if (meaning.refresh || missesPayment) await wishRefresh(tx, checkoutId, now);
    return { outcome: 'processed', reason: null, tenant: checkout.terms.tenant, tell: () => this.tell(checkout, after, meaning, event) };
  }

  private tell(before: Checkout, after: Checkout, { events, alarm }: Meaning, event: CheckoutSessionEvent): void {
    if (alarm) this.alarm(before.terms.checkout_id, event);
    if (events.length === 0) return;
    this.deps.checkoutMetrics.changed(before, after, events);
    this.deps.signals.wake(after.terms.checkout_id);
  }

  private alarm(checkoutId: string, event: CheckoutSessionEvent): void {
    this.deps.logger.error(
      {
        event: 'checkout_paid_elsewhere',
        payment_session_id: checkoutId,
        stripe_session: event.object.id,
        payment_intent: event.object.payment_intent,
      },
      'A page that nobody was sent to, or that Stripe had called expired, was paid; refund that payment by hand',
    );
  }
}

/** A page with an id of ours and a tenant was made by a checkout that this database has lost, or by another installation. */
function withoutCheckout({ object: { metadata } }: CheckoutSessionEvent): NewsResult {
  const named = CheckoutId.safeParse(metadata['checkout_id']);
  if (!named.success || !metadata['tenant_id']) return { ...nobody, outcome: 'foreign', reason: 'no checkout of ours' };
  return { ...nobody, outcome: 'parked', reason: `waits for checkout ${named.data}`, parent: named.data };
}

/** By the page, else by our id in the metadata of a page whose id is not recorded (yet). */
async function findCheckoutId(tx: Transaction<PaymentsTables>, { object }: CheckoutSessionEvent): Promise<string | null> {
  const marked = object.metadata['checkout_id'] ?? '';
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM checkouts WHERE stripe_sessions @> ARRAY[${object.id}] OR id = ${marked}
    ORDER BY stripe_sessions @> ARRAY[${object.id}] DESC LIMIT 1`.execute(tx);
  return rows[0]?.id ?? null;
}

async function isKnown(tx: Transaction<PaymentsTables>, paymentId: string): Promise<boolean> {
  return (await tx.selectFrom('payments').select('id').where('id', '=', paymentId).executeTakeFirst()) !== undefined;
}
