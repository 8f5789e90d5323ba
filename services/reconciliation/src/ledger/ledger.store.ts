import type { FeeRecorded } from '@tidegate/contracts/events/fee';
import type { PaymentSnapshot } from '@tidegate/contracts/payment';
import { sql, type Transaction } from 'kysely';
import { rounds } from '../projection/rounds.js';
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

/** An event of a payment that was published, and what it shows. */
export interface PaymentTold {
  payment: PaymentSnapshot;
  cause: PaymentCause;
}

/** `postPayments` of one event. */
export const postPayment = (tx: Tx, payment: PaymentSnapshot, cause: PaymentCause): Promise<void> => postPayments(tx, [{ payment, cause }]);

/**
 * Brings the ledger to what payments' snapshots show, each by a transaction of the differences, unless it was brought to a newer one already; none when nothing
 * differs. What else is known of the payment does not matter, so that a replay posts the same. Of each payment the events come in their order; one statement posts one of
 * each.
 */
export async function postPayments(tx: Tx, told: readonly PaymentTold[]): Promise<void> {
  const moved = told.filter(({ payment, cause }) => hasMoved(payment) || cause.epoch > FIRST_EPOCH);
  for (const round of rounds(moved, ({ payment }) => payment.payment_id)) await postRound(tx, round);
}

async function postRound(tx: Tx, told: readonly PaymentTold[]): Promise<void> {
  const each = <T>(value: (one: PaymentTold) => T): T[] => told.map(value);
  const lines = told.flatMap(({ payment }) => paymentLines(payment).map((line) => ({ ...line, payment_id: payment.payment_id })));
  await sql`
    WITH cause AS (
      SELECT * FROM unnest(${each(({ payment }) => payment.payment_id)}::text[], ${each(({ cause }) => cause.epoch)}::int[],
        ${each(({ cause }) => cause.version)}::bigint[], ${each(({ cause }) => cause.id)}::text[], ${each(({ cause }) => cause.tenant)}::text[],
        ${each(({ cause }) => cause.fact)}::text[], ${each(({ cause }) => cause.occurredAt)}::timestamptz[])
        AS cause(payment_id, epoch, version, id, tenant, fact, occurred_at)
    ), newest AS (
      INSERT INTO ledger_payments AS p (payment_id, epoch, version) SELECT payment_id, epoch, version FROM cause
      ON CONFLICT (payment_id) DO UPDATE SET epoch = excluded.epoch, version = excluded.version
      WHERE (excluded.epoch, excluded.version) > (p.epoch, p.version) RETURNING payment_id
    ), wanted_less_posted (payment_id, account, currency, reference, amount) AS (
      SELECT payment_id, account COLLATE "C", currency COLLATE "C", reference COLLATE "C", amount
      FROM unnest(${lines.map((one) => one.payment_id)}::text[], ${lines.map((one) => one.account)}::text[], ${lines.map((one) => one.currency)}::text[],
        ${lines.map((one) => one.reference)}::text[], ${lines.map((one) => one.amount)}::bigint[]) AS line(payment_id, account, currency, reference, amount)
      UNION ALL
      SELECT cause.payment_id, posted.account, posted.currency, posted.reference, -posted.amount FROM cause CROSS JOIN LATERAL (
        SELECT account, currency, reference, amount FROM ledger_entries e
        WHERE e.payment_id = cause.payment_id AND e.event <> ${sql.lit(FEE_RECORDED)} OFFSET 0) AS posted
    ), difference AS (
      SELECT payment_id, account, currency, reference, sum(amount)::bigint AS amount FROM wanted_less_posted
      GROUP BY payment_id, account, currency, reference HAVING sum(amount) <> 0
    )
    INSERT INTO ledger_entries (transaction_id, line, tenant, account, currency, amount, reference, payment_id, event, occurred_at)
    SELECT cause.id, row_number() OVER (PARTITION BY payment_id ORDER BY account, currency, reference), cause.tenant, account, currency, amount, reference,
      payment_id, cause.fact, cause.occurred_at
    FROM difference JOIN newest USING (payment_id) JOIN cause USING (payment_id)`.execute(tx);
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
