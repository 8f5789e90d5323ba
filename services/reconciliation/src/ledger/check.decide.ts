import type { FeeRecorded } from '@tidegate/contracts/events/fee';
import type { BalanceTransaction } from '@tidegate/stripe-gateway/intent';
import { AGREES, type Comparison, differs, type Finding } from '../compare/finding.js';
import type { Local } from '../compare/kind.js';
import { isOwnCharge } from './posting.decide.js';

/** What a balance transaction was posted with. */
export interface PostedMovement extends Local {
  transaction_id: string;
  payment_id: string | null;
  currency: string | null;
  /** Of the balance itself. */
  net: number;
  fee: number;
}

/** The sweep has not come to this balance transaction yet: nothing can be said. */
export interface NotDue extends Local {
  transaction_id: null;
}

/** A balance transaction as a page of Stripe's list has it, with what a run asks of every object. */
export type RemoteMovement = BalanceTransaction & { payment_intent: string | null; metadata: Record<string, string> };

export const remoteMovement = (movement: BalanceTransaction): RemoteMovement => ({
  ...movement,
  payment_intent: movement.source?.payment_intent ?? null,
  metadata: movement.source?.metadata ?? {},
});

type About = Pick<Finding, 'object' | 'payment_id' | 'stripe_id'>;
const imbalance = (about: About, local: string | null, remote: string | null): Comparison =>
  differs({ class: 'ledger_imbalance', local_id: null, intent: null, ...about, local, remote });

/** Whether it is posted as Stripe shows it. Stripe's own charges have no fee beside their amount, and what moves nothing is not posted. */
export function compareMovement(posted: PostedMovement | NotDue | null, movement: RemoteMovement): Comparison {
  if (posted?.transaction_id === null || (movement.amount === 0 && movement.fee === 0)) return AGREES;
  const about = { object: 'balance_transaction' as const, payment_id: movement.metadata['payment_id'] ?? null, stripe_id: movement.id };
  const theirs = words(movement);
  if (posted === null) return imbalance(about, null, theirs);
  const fee = isOwnCharge(movement.type) ? posted.fee : movement.fee;
  const currency = posted.currency ?? movement.currency;
  if (posted.net === movement.net && posted.fee === fee && currency === movement.currency) return AGREES;
  return imbalance({ ...about, payment_id: posted.payment_id }, words({ ...posted, currency }), theirs);
}

/** A balance transaction that is posted and that Stripe does not know. */
export const compareAbsentMovement = (posted: PostedMovement | NotDue): Comparison =>
  posted.transaction_id === null
    ? AGREES
    : imbalance(
        { object: 'balance_transaction', payment_id: posted.payment_id, stripe_id: posted.transaction_id },
        words({ ...posted, currency: posted.currency ?? '' }),
        null,
      );

const words = ({ net, currency, fee }: Pick<FeeRecorded, 'net' | 'currency' | 'fee'>): string => `${net} ${currency}, fee ${fee}`;

/** A transaction whose entries do not sum to zero in a currency. */
export interface Unbalanced extends Local {
  transaction_id: string;
  payment_id: string | null;
  currency: string;
  off: number;
}

/** Somebody went around the database's own rule. */
export const compareUnbalanced = ({ transaction_id, payment_id, currency, off }: Unbalanced): Comparison =>
  imbalance({ object: 'ledger_transaction', payment_id, stripe_id: transaction_id }, `sums to ${off} ${currency}`, `0 ${currency}`);

/** A payment that was not posted with what is recorded of it. */
export interface Misposted extends Local {
  payment_id: string;
  stripe_payment_intent: string | null;
  currency: string;
  captured: number;
  refunded: number;
  sales: number;
  refunds: number;
}

export const compareMisposted = (row: Misposted): Comparison =>
  imbalance(
    { object: 'ledger_payment', payment_id: row.payment_id, stripe_id: row.stripe_payment_intent },
    `posted: captured ${row.sales}, refunded ${row.refunds} ${row.currency}`,
    `recorded: captured ${row.captured}, refunded ${row.refunded} ${row.currency}`,
  );

/** A payment, refund or dispute of which payments and Stripe's balance both told, and not the same; or an intent of which the balance alone has. */
export interface Uncleared extends Local {
  reference: string;
  payment_id: string | null;
  currency: string;
  told: number;
  moved: number;
}

export const compareUncleared = ({ reference, payment_id, currency, told, moved }: Uncleared): Comparison =>
  differs({
    ...{ class: 'ledger_imbalance', object: 'ledger_clearing', local_id: null, payment_id, stripe_id: reference },
    intent: reference.startsWith('pi_') ? reference : null,
    local: `payments told of ${told} ${currency}`,
    remote: `the balance moved by ${moved} ${currency}`,
  });
