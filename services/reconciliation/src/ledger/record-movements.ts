import { append, WrongExpectedVersion } from '@tidegate/event-store/append';
import { stage } from '@tidegate/messaging/outbox';
import type { BalanceTransaction, Intent } from '@tidegate/stripe-gateway/intent';
import type { StripePort } from '@tidegate/stripe-gateway/port';
import { currentTraceparent } from '@tidegate/telemetry/tracing';
import { type Kysely, sql, type Transaction } from 'kysely';
import { type Patience, readPatiently } from '../compare/patient-stripe.js';
import type { ReconciliationTables } from '../tables.js';
import {
  attributed,
  type AttributionRules,
  type Clues,
  isOfPayment,
  type KnownPayment,
  needsIntent,
  tenantIn,
} from './attribution.decide.js';
import { type FeeRecorded, feeStream } from './fee.events.js';
import { publishFee } from './fee.publish.js';
import { postMovement } from './ledger.store.js';

/** What can tell whose an intent is. */
export type StripeOfAttribution = Pick<StripePort, 'retrieveIntent' | 'listInvoicePayments' | 'retrieveInvoice' | 'retrieveCustomer'>;

export interface AttributionParts {
  db: Kysely<ReconciliationTables>;
  stripe: StripeOfAttribution;
  attribution: AttributionRules;
}

const SHAPE = 1;

/**
 * FeeRecorded events for those of the movements that are not recorded yet, oldest first. Asks Stripe for the intent, and what it hangs on, only where nothing else says whose
 * a movement is; throws StripeUnanswered.
 */
export async function unrecorded(
  parts: AttributionParts,
  movements: readonly BalanceTransaction[],
  patience: Patience,
): Promise<FeeRecorded[]> {
  const recorded = await recordedAmong(
    parts.db,
    movements.map((one) => one.id),
  );
  const fresh = movements.filter((one) => !recorded.has(one.id)).toReversed();
  const payments = await paymentsOf(parts.db, fresh);
  const events: FeeRecorded[] = [];
  for (const movement of fresh) {
    const intent = movement.source?.payment_intent ?? null;
    const known = (intent !== null && payments.get(intent)) || null;
    const asked = needsIntent(movement, known) ? await readPatiently(() => parts.stripe.retrieveIntent(intent!), patience) : null;
    const named = asked ? await namedBy(parts.stripe, asked, patience) : NOBODY_NAMED;
    const { tenant, data } = attributed(movement, { known, ...named }, parts.attribution);
    events.push({ type: 'FeeRecorded', data: { tenant, ...data } });
  }
  return events;
}

type Named = Omit<Clues, 'known'>;

const NOBODY_NAMED: Named = { metadata: {}, invoiceTenant: null, customerTenant: null };

/** Whom Stripe names for an intent. Those of invoices carry no ids of ours, and name no invoice, but always have a customer. */
export async function namedBy(
  stripe: Omit<StripeOfAttribution, 'retrieveIntent'>,
  { id, metadata, customer }: Pick<Intent, 'id' | 'metadata' | 'customer'>,
  patience: Patience,
): Promise<Named> {
  if (customer === null || tenantIn(metadata) !== null) return { ...NOBODY_NAMED, metadata };
  const payments = await readPatiently(() => stripe.listInvoicePayments({ payment_intent: id, limit: 1 }), patience);
  const invoice = payments?.data[0]?.invoice ?? null;
  const shown = invoice === null ? null : await readPatiently(() => stripe.retrieveInvoice(invoice), patience);
  const invoiceTenant = tenantIn(shown?.metadata ?? {});
  if (invoiceTenant !== null) return { ...NOBODY_NAMED, metadata, invoiceTenant };
  const asked = await readPatiently(() => stripe.retrieveCustomer(customer), patience);
  return { ...NOBODY_NAMED, metadata, customerTenant: tenantIn(asked?.metadata ?? {}) };
}

/** Appends, stages and posts in the caller's transaction. What another process has recorded meanwhile is passed over; answers how many were not. */
export async function recordFees(tx: Transaction<ReconciliationTables>, events: readonly FeeRecorded[], at: Date): Promise<number> {
  let done = 0;
  for (const event of events) {
    const { tenant, ...movement } = event.data;
    const metadata = { correlation_id: movement.balance_transaction, causation_id: null, traceparent: currentTraceparent() };
    try {
      await append(tx, feeStream(movement.balance_transaction), 0, [{ ...event, version: SHAPE }], metadata, at);
    } catch (error) {
      if (error instanceof WrongExpectedVersion) continue;
      throw error;
    }
    await stage(tx, [publishFee(event, at)]);
    await postMovement(tx, movement, tenant);
    done += 1;
  }
  return done;
}

/** Which of these balance transactions are recorded. */
export async function recordedAmong(db: Kysely<ReconciliationTables>, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM unnest(${ids}::text[], ${ids.map(feeStream)}::text[]) AS wanted (id, stream)
    WHERE EXISTS (SELECT 1 FROM events e WHERE e.stream = wanted.stream AND e.version = 1)`.execute(db);
  return new Set(rows.map(({ id }) => id));
}

async function paymentsOf(
  db: Kysely<ReconciliationTables>,
  movements: readonly BalanceTransaction[],
): Promise<ReadonlyMap<string, KnownPayment>> {
  const intents = movements.filter(isOfPayment).flatMap(({ source }) => source?.payment_intent ?? []);
  const rows = await db
    .selectFrom('recorded_payments')
    .select(['stripe_payment_intent', 'tenant', 'payment_id'])
    .where(sql<boolean>`stripe_payment_intent = ANY(${intents}::text[])`)
    .execute();
  return new Map(rows.map(({ stripe_payment_intent, ...payment }) => [stripe_payment_intent!, payment]));
}
