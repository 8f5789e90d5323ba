import { type InvoiceFact } from '@tidegate/contracts/events/invoice';
import { type SubscriptionFact } from '@tidegate/contracts/events/subscription';
import { type Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { type Invoice, type Subscription } from '@tidegate/stripe-gateway/billing';
import { type StripeOutcome, type StripePort } from '@tidegate/stripe-gateway/port';
import { withFailpoints } from '@tidegate/stripe-gateway/with-failpoints';
import { type Logger } from '@tidegate/telemetry/logger';
import { currentTraceparent } from '@tidegate/telemetry/tracing';
import { type Kysely, type Transaction } from 'kysely';
import { invoiceKind } from '../invoice/invoice.kind.js';
import { seenInvoice, type SeenInvoice } from '../invoice/invoice.seen.js';
import { type AdoptionRules } from '../stripe-events/adopt.js';
import { tenantOf } from '../stripe-events/tenant-of.js';
import { noticeMade } from '../subscription/command.store.js';
import { subscriptionKind } from '../subscription/subscription.kind.js';
import { seenSubscription, type SeenSubscription } from '../subscription/subscription.seen.js';
import { type PaymentsTables } from '../tables.js';
import { type BillingMetrics } from './billing.metrics.js';
import { type Change, known, type Known, observe, type ObservedKind } from './observed.store.js';
import { isUnmarked } from './ours.js';

export interface RefetchDeps {
  db: Kysely<PaymentsTables>;
  stripe: StripePort;
  failpoints: Failpoints;
  clock: { now(): Date };
  logger: Logger;
  rules: AdoptionRules;
  billingMetrics: BillingMetrics;
  onCommitted(): void;
}

/**
 * `seen`: what Stripe shows is recorded. `none`: Stripe does not know it, or it is nobody's of ours. Else Stripe gave no answer, or, with `outcome` null, others looked
 * at the same time again and again, so that nobody can say whose look is the newest.
 */
export type Refetched<T> =
  { kind: 'seen'; shown: T } | { kind: 'none'; reason: string } | { kind: 'no_answer'; outcome: StripeOutcome<unknown> | null };

export interface Why {
  correlation_id: string;
  actor: string;
}

/** Others may look at the same time; look once more, this often. */
const ROUNDS = 3;

/** Asks Stripe how a subscription or an invoice stands, and records what it shows. */
export class Refetch {
  private readonly stripe: StripePort;

  constructor(private readonly deps: RefetchDeps) {
    this.stripe = withFailpoints(deps.stripe, deps.failpoints, 'payments.billing.lookup');
  }

  subscription(id: string, why: Why): Promise<Refetched<Subscription>> {
    return this.look<SeenSubscription, SubscriptionFact, Subscription>(subscriptionKind, id, why, {
      ask: () => this.stripe.retrieveSubscription(id),
      seen: seenSubscription,
      gone: () => null,
      tell: (change) => this.deps.billingMetrics.subscription(change),
      also: async (tx, shown) => {
        const { command_id } = shown.metadata;
        if (command_id) await noticeMade(tx, shown, command_id, this.deps.clock.now());
      },
    });
  }

  invoice(id: string, why: Why): Promise<Refetched<Invoice>> {
    return this.look<SeenInvoice, InvoiceFact, Invoice>(invoiceKind, id, why, {
      ask: () => this.stripe.retrieveInvoice(id),
      seen: seenInvoice,
      gone: deletedDraft,
      tell: (change) => this.deps.billingMetrics.invoice(change),
    });
  }

  private async look<S, F extends string, T extends Invoice | Subscription>(
    kind: ObservedKind<S, F>,
    id: string,
    why: Why,
    { ask, seen, gone, tell, also }: Looking<S, F, T>,
  ): Promise<Refetched<T>> {
    for (let round = 1; ; round += 1) {
      const before = await known(this.deps.db, kind, id);
      const at = this.deps.clock.now();
      const outcome = await ask();
      if (outcome.kind !== 'ok' && outcome.kind !== 'not_found') return { kind: 'no_answer', outcome };
      const shown = outcome.kind === 'ok' ? outcome.value : null;
      const object = shown ? seen(shown) : gone(before);
      if (object === null) return this.absent(kind.name, id, before);
      const owner = await this.ownerOf(before, shown);
      if (owner.kind !== 'ok') return owner;
      const { tenant, livemode } = owner;
      const look = { object, tenant, livemode, at, asked: true, after: true };
      const change = await this.record(kind, id, { look, before, why }, async (tx) => shown && also?.(tx, shown));
      if (change) {
        tell(change);
        this.deps.onCommitted();
        return shown ? { kind: 'seen', shown } : { kind: 'none', reason: 'deleted' };
      }
      if (round >= ROUNDS) return { kind: 'no_answer', outcome: null };
    }
  }

  private record<S, F extends string>(
    kind: ObservedKind<S, F>,
    id: string,
    { look, before, why }: { look: Parameters<typeof observe<S, F>>[2]['seen']; before: Known<S>; why: Why },
    also: (tx: Transaction<PaymentsTables>) => Promise<unknown>,
  ): Promise<Change<S, F> | null> {
    const metadata = { ...why, causation_id: null, traceparent: currentTraceparent() };
    return inTransaction(this.deps, 'payments.billing.observed', async (tx) => {
      const change = await observe(tx, kind, { id, seen: look, metadata, now: this.deps.clock.now(), expected: before.version });
      if (change) await also(tx);
      return change;
    });
  }

  private async ownerOf(
    { observed }: Known<unknown>,
    shown: Invoice | Subscription | null,
  ): Promise<{ kind: 'ok'; tenant: string; livemode: boolean } | Exclude<Refetched<never>, { kind: 'seen' }>> {
    const { rules } = this.deps;
    if (observed) return { kind: 'ok', tenant: observed.tenant, livemode: observed.livemode };
    if (!shown || shown.livemode !== rules.livemode) return { kind: 'none', reason: 'other livemode' };
    if (isUnmarked(shown, rules)) return { kind: 'none', reason: 'unmarked subscription or invoice' };
    const owner = await tenantOf(this.deps, shown);
    return owner.kind === 'ok' ? { kind: 'ok', tenant: owner.tenant, livemode: shown.livemode } : { kind: 'no_answer', outcome: owner };
  }

  /** Stripe denies what it has shown before: a wrong key or account, never a reason to call it over. */
  private absent(name: string, id: string, { version }: Known<unknown>): { kind: 'none'; reason: string } {
    if (version > 0)
      this.deps.logger.error(
        { event: 'stripe_object_missing', object: name, id },
        `Stripe does not know a ${name} that we recorded; check key and account`,
      );
    return { kind: 'none', reason: 'Stripe does not know it' };
  }
}

interface Looking<S, F extends string, T> {
  ask(): Promise<StripeOutcome<T>>;
  seen(shown: T): S;
  /** What it is when Stripe does not know it any more; null when that cannot be. */
  gone(before: Known<S>): S | null;
  tell(change: Change<S, F>): void;
  /** What it means for others, in the same transaction. */
  also?(tx: Transaction<PaymentsTables>, shown: T): Promise<void>;
}

/** Only drafts are ever deleted: https://docs.stripe.com/api/invoices/delete */
function deletedDraft({ observed }: Known<SeenInvoice>): SeenInvoice | null {
  const object = observed?.object;
  return object?.status === 'draft' || object?.status === 'deleted' ? { ...object, status: 'deleted' } : null;
}
