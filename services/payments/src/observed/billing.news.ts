import { isAbout, type NormalizedStripeEvent, type StripeEventAbout } from '@tidegate/contracts/events/stripe-event';
import { type Metadata } from '@tidegate/event-store/event';
import { type Incoming } from '@tidegate/messaging/incoming';
import { type Transaction } from 'kysely';
import { invoiceKind } from '../invoice/invoice.kind.js';
import { seenInvoice } from '../invoice/invoice.seen.js';
import { type AdoptionRules } from '../stripe-events/adopt.js';
import { noticeMade } from '../subscription/command.store.js';
import { subscriptionKind } from '../subscription/subscription.kind.js';
import { seenSubscription } from '../subscription/subscription.seen.js';
import { type PaymentsTables } from '../tables.js';
import { wishRefresh } from '../work/work.store.js';
import { type BillingMetrics } from './billing.metrics.js';
import { known, observe, type ObservedKind } from './observed.store.js';
import { isUnmarked } from './ours.js';

export interface BillingNewsDeps {
  clock: { now(): Date };
  rules: AdoptionRules;
  billingMetrics: BillingMetrics;
}

export interface BillingResult {
  outcome: 'processed' | 'foreign';
  reason: string | null;
  tenant: string;
  /** Tells the operators, after the commit. */
  tell(): void;
}

type BillingEvent = StripeEventAbout<'subscription'> | StripeEventAbout<'invoice'>;

export const isBilling = (event: NormalizedStripeEvent): event is BillingEvent =>
  isAbout(event, 'subscription') || isAbout(event, 'invoice');

/** What Stripe's news shows of subscriptions and invoices, in any order and any number of times: the newest look wins. */
export class BillingNews {
  constructor(private readonly deps: BillingNewsDeps) {}

  async join(tx: Transaction<PaymentsTables>, message: Incoming, event: BillingEvent, metadata: Metadata): Promise<BillingResult> {
    const { billingMetrics } = this.deps;
    if (isAbout(event, 'subscription')) {
      const change = await this.look(tx, message, event, subscriptionKind, seenSubscription(event.object), metadata);
      return change ? { ...change, tell: () => billingMetrics.subscription(change) } : this.foreign(message);
    }
    const change = await this.look(tx, message, event, invoiceKind, seenInvoice(event.object), metadata);
    return change ? { ...change, tell: () => billingMetrics.invoice(change) } : this.foreign(message);
  }

  /** Null when it is none of ours. */
  private async look<S, F extends string>(
    tx: Transaction<PaymentsTables>,
    { envelope }: Incoming,
    event: BillingEvent,
    kind: ObservedKind<S, F>,
    object: S,
    metadata: Metadata,
  ) {
    const { clock, rules } = this.deps;
    const { id } = event.object;
    if (isUnmarked(event.object, rules) && (await known(tx, kind, id)).version === 0) return null;
    const now = clock.now();
    const gone = event.object.object === 'invoice' && event.object.deleted;
    const at = new Date(envelope.occurred_at);
    const seen = { object, tenant: envelope.tenant, livemode: event.livemode, at, asked: event.hint || gone, after: false };
    const change = await observe(tx, kind, { id, seen, metadata, now });
    if (!change) throw new Error('Bug: a look without expectations was refused');
    if (change.ask) await wishRefresh(tx, id, now);
    const { command_id } = event.object.metadata;
    if (event.object.object === 'subscription' && command_id) await noticeMade(tx, event.object, command_id, now);
    return { ...change, outcome: 'processed' as const, reason: null, tenant: change.after?.tenant ?? envelope.tenant };
  }

  private foreign({ envelope: { tenant } }: Incoming): BillingResult {
    return { outcome: 'foreign', reason: 'unmarked subscription or invoice', tenant, tell: () => undefined };
  }
}
