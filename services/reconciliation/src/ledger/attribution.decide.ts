import type { FeeRecorded } from '@tidegate/contracts/events/fee';
import { CheckoutId, PaymentId } from '@tidegate/contracts/ids';
import type { BalanceTransaction } from '@tidegate/stripe-gateway/intent';

/** What is recorded of the payment that a PaymentIntent belongs to. */
export interface KnownPayment {
  tenant: string;
  payment_id: string;
}

/** What can be said of whose a movement is. */
export interface Clues {
  /** Null: no payment is recorded for its intent. */
  known: KnownPayment | null;
  /** Of the intent, where Stripe was asked for it. */
  metadata: Readonly<Record<string, string>>;
  /** Whom the invoice that the intent pays names, or its subscription. */
  invoiceTenant: string | null;
  /** Whom its customer names. */
  customerTenant: string | null;
}

export interface AttributionRules {
  /** What belongs to nobody else, such as payouts: the tenant of the account. */
  accountTenant: string;
  /** What an object is that carries no id of ours. */
  unmarked: 'adopt' | 'foreign';
}

const OF_PAYMENTS = ['charge', 'refund', 'dispute'];

/** Whether it is of a payment. */
export const isOfPayment = ({ source }: BalanceTransaction): boolean => source !== null && OF_PAYMENTS.includes(source.object);

/** Whether only its intent could tell whose it is: neither is the payment recorded, nor does the object name it. */
export const needsIntent = (movement: BalanceTransaction, known: KnownPayment | null): boolean =>
  isOfPayment(movement) &&
  known === null &&
  movement.source!.payment_intent !== null &&
  movement.source!.metadata['tenant_id'] === undefined;

/**
 * The balance transaction in our words, and whose it is: its payment's tenant, else the one that the metadata name, else those of its invoice and its customer, else the account's.
 * As payments has it, who may hear of the payment later than this: what payments will not adopt is foreign, and so is what hangs on no intent.
 */
export function attributed(
  movement: BalanceTransaction,
  { known, metadata, invoiceTenant, customerTenant }: Clues,
  { accountTenant, unmarked }: AttributionRules,
): { tenant: string; data: FeeRecorded } {
  const { source } = movement;
  const named = { ...metadata, ...source?.metadata };
  const marked = ownIds(named);
  const payment_id = known?.payment_id ?? marked?.payment_id ?? null;
  const isOurs = source?.payment_intent !== null && (unmarked === 'adopt' || marked !== null || invoiceTenant !== null);
  return {
    tenant: known?.tenant ?? tenantIn(named) ?? invoiceTenant ?? customerTenant ?? accountTenant,
    data: {
      balance_transaction: movement.id,
      type: movement.type,
      reporting_category: movement.reporting_category,
      source: source && { object: source.object, id: source.id },
      payment_intent: source?.payment_intent ?? null,
      payment_id,
      foreign: isOfPayment(movement) && payment_id === null && !isOurs,
      amount: movement.amount,
      fee: movement.fee,
      net: movement.net,
      currency: movement.currency,
      presentment: presentmentOf(movement),
      exchange_rate: movement.exchange_rate,
      created_at: new Date(movement.created * 1000).toISOString(),
    },
  };
}

/** As payments adopts an intent: by a tenant with the id of a payment of ours, or of a checkout, whose payment it names itself. What others write under these names is none of ours. */
function ownIds(named: Readonly<Record<string, string>>): { payment_id: string | null } | null {
  if (tenantIn(named) === null) return null;
  if (CheckoutId.safeParse(named['checkout_id']).success) return { payment_id: null };
  const id = PaymentId.safeParse(named['payment_id']);
  return id.success ? { payment_id: id.data } : null;
}

/** As in webhooks: a name that could be a tenant's. */
export function tenantIn({ tenant_id: named }: Readonly<Record<string, string>>): string | null {
  return named !== undefined && /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(named) ? named : null;
}

/** A refund and its failure have the same amount, with opposite signs. */
function presentmentOf({ source, amount, currency }: BalanceTransaction): FeeRecorded['presentment'] {
  if (source === null || source.amount === null || source.currency === null || source.currency === currency) return null;
  return { amount: Math.sign(amount) * Math.abs(source.amount), currency: source.currency };
}
