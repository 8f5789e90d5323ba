import type { FeeRecorded } from '@tidegate/contracts/events/fee';
import type { PaymentSnapshot } from '@tidegate/contracts/payment';
import { sql, type Transaction } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import { type Line, movementLines, paymentLines } from './posting.decide.js';

type Tx = Transaction<ReconciliationTables>;

/** The fact that everything in the ledger says of a balance transaction. */
export const FEE_RECORDED = 'fee.recorded';

/** A published event of a payment, and where it stands among those: a higher epoch is a later history, a higher version a later event of it. */
export interface PaymentCause {
  /** Names the transaction; the same event never has two. */
  id: string;
  tenant: string;
  fact: string;
  epoch: number;
  version: number;
  occurredAt: Date;
}

/** Until payments' database is restored, a payment never goes back to where no money had moved. */
const FIRST_EPOCH = 1;
const hasMoved = (payment: PaymentSnapshot): boolean =>
  payment.amount_captured > 0 || payment.refunds.length > 0 || payment.disputes.length > 0;

/**
 * Brings the ledger to what a payment's snapshot shows, by a transaction of the differences, unless it was brought to a newer one already; none when nothing
 * differs. What else is known of the payment does not matter, so that a replay posts the same.
 */
export async function postPayment(tx: Tx, payment: PaymentSnapshot, cause: PaymentCause): Promise<void> {
  if (!hasMoved(payment) && cause.epoch <= FIRST_EPOCH) return;
  const lines = paymentLines(payment);
  await sql`
    WITH newest AS (
      INSERT INTO ledger_payments AS p (payment_id, epoch, version) VALUES (${payment.payment_id}, ${cause.epoch}, ${cause.version})
      ON CONFLICT (payment_id) DO UPDATE SET epoch = excluded.epoch, version = excluded.version
      WHERE (excluded.epoch, excluded.version) > (p.epoch, p.version) RETURNING payment_id
    ), wanted_less_posted (account, currency, reference, amount) AS (
      SELECT account COLLATE "C", currency COLLATE "C", reference COLLATE "C", amount FROM ${rowsOf(lines)}
      UNION ALL
      SELECT account, currency, reference, -amount FROM ledger_entries WHERE payment_id = ${payment.payment_id} AND event <> ${sql.lit(FEE_RECORDED)}
    ), difference AS (
      SELECT account, currency, reference, sum(amount)::bigint AS amount FROM wanted_less_posted GROUP BY account, currency, reference HAVING sum(amount) <> 0
    )
    INSERT INTO ledger_entries (transaction_id, line, tenant, account, currency, amount, reference, payment_id, event, occurred_at)
    SELECT ${cause.id}, row_number() OVER (ORDER BY account, currency, reference), ${cause.tenant}, account, currency, amount, reference,
      newest.payment_id, ${cause.fact}, ${cause.occurredAt}::timestamptz
    FROM difference, newest`.execute(tx);
}

/** Posts one balance transaction. Throws when it is there already. */
export async function postMovement(tx: Tx, movement: FeeRecorded, tenant: string): Promise<void> {
  await sql`
    INSERT INTO ledger_entries (transaction_id, line, tenant, account, currency, amount, reference, payment_id, event, occurred_at)
    SELECT ${movement.balance_transaction}, row_number() OVER (ORDER BY account COLLATE "C", currency COLLATE "C"), ${tenant}, account, currency, amount,
      reference, ${movement.payment_id}, ${FEE_RECORDED}, ${movement.created_at}::timestamptz
    FROM ${rowsOf(movementLines(movement))}`.execute(tx);
}

const rowsOf = (
  lines: readonly Line[],
) => sql`unnest(${lines.map((one) => one.account)}::text[], ${lines.map((one) => one.currency)}::text[],
  ${lines.map((one) => one.reference)}::text[], ${lines.map((one) => one.amount)}::bigint[]) AS line (account, currency, reference, amount)`;
