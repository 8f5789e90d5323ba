import type { FeeRecorded } from '@tidegate/contracts/events/fee';
import type { PaymentSnapshot } from '@tidegate/contracts/payment';
import { sql, type Transaction } from 'kysely';
import { inTurns, rounds } from '../projection/rounds.js';
import type { ReconciliationTables } from '../tables.js';
import { type Line, linesBetween, movementLines, paymentLines } from './posting.decide.js';

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
 * differs. What else is known of the payment does not matter, so that a replay posts the same. Of each payment the events come in their order; one statement posts them all, as long
 * as each is newer than the one before and than what the payment was posted with.
 */
export async function postPayments(tx: Tx, told: readonly PaymentTold[]): Promise<void> {
  const moved = told.filter(({ payment, cause }) => hasMoved(payment) || cause.epoch > FIRST_EPOCH);
  if (moved.length === 0) return;
  const { inOrder, others } = inTurns(
    moved,
    ({ payment }) => payment.payment_id,
    (one) => one.cause,
    await postedAlready(tx, moved),
  );
  if (inOrder.length > 0) await post(tx, inOrder);
  for (const round of rounds(others, ({ payment }) => payment.payment_id)) await post(tx, [round]);
}

/** Payments that were posted with one of these events, or a newer one. */
async function postedAlready(tx: Tx, told: readonly PaymentTold[]): Promise<ReadonlySet<string>> {
  const each = <T>(value: (one: PaymentTold) => T): T[] => told.map(value);
  const { rows } = await sql<{ payment_id: string }>`
    SELECT DISTINCT told.payment_id FROM unnest(${each(({ payment }) => payment.payment_id)}::text[], ${each(({ cause }) => cause.epoch)}::int[],
      ${each(({ cause }) => cause.version)}::bigint[]) AS told(payment_id, epoch, version)
    CROSS JOIN LATERAL (SELECT epoch, version FROM ledger_payments AS p WHERE p.payment_id = told.payment_id OFFSET 0) AS p
    WHERE (p.epoch, p.version) >= (told.epoch, told.version)`.execute(tx);
  return new Set(rows.map((row) => row.payment_id));
}

/**
 * `turns`: at most one event of each payment, each payment's in ascending order, none left out in between. The first of a payment is compared with what is posted, the next
 * ones with the one before.
 */
async function post(tx: Tx, turns: readonly (readonly PaymentTold[])[]): Promise<void> {
  const causes: (PaymentTold & { n: number; turn: number })[] = [];
  const lines: (Line & { n: number })[] = [];
  const before = new Map<string, Line[]>();
  for (const [turn, told] of turns.entries())
    for (const one of told) {
      const [n, wanted] = [causes.length, paymentLines(one.payment)];
      for (const line of linesBetween(before.get(one.payment.payment_id) ?? [], wanted)) lines.push({ ...line, n });
      before.set(one.payment.payment_id, wanted);
      causes.push({ ...one, n, turn });
    }
  const last = new Map(causes.map((one) => [one.payment.payment_id, one.n]));
  const each = <T>(value: (one: (typeof causes)[number]) => T): T[] => causes.map(value);
  await sql`
    WITH cause AS (
      SELECT * FROM unnest(${each((one) => one.n)}::int[], ${each((one) => one.turn === 0)}::boolean[],
        ${each((one) => last.get(one.payment.payment_id) === one.n)}::boolean[], ${each(({ payment }) => payment.payment_id)}::text[],
        ${each(({ cause }) => cause.epoch)}::int[], ${each(({ cause }) => cause.version)}::bigint[], ${each(({ cause }) => cause.id)}::text[],
        ${each(({ cause }) => cause.tenant)}::text[], ${each(({ cause }) => cause.fact)}::text[], ${each(({ cause }) => cause.occurredAt)}::timestamptz[])
        AS cause(n, is_first, is_last, payment_id, epoch, version, id, tenant, fact, occurred_at)
    ), newest AS (
      INSERT INTO ledger_payments AS p (payment_id, epoch, version) SELECT payment_id, epoch, version FROM cause WHERE is_last
      ON CONFLICT (payment_id) DO UPDATE SET epoch = excluded.epoch, version = excluded.version
      WHERE (excluded.epoch, excluded.version) > (p.epoch, p.version) RETURNING payment_id
    ), wanted_less_posted (n, account, currency, reference, amount) AS (
      SELECT n, account COLLATE "C", currency COLLATE "C", reference COLLATE "C", amount
      FROM unnest(${lines.map((one) => one.n)}::int[], ${lines.map((one) => one.account)}::text[], ${lines.map((one) => one.currency)}::text[],
        ${lines.map((one) => one.reference)}::text[], ${lines.map((one) => one.amount)}::bigint[]) AS line(n, account, currency, reference, amount)
      UNION ALL
      SELECT cause.n, posted.account, posted.currency, posted.reference, -posted.amount FROM cause CROSS JOIN LATERAL (
        SELECT account, currency, reference, amount FROM ledger_entries e
        WHERE e.payment_id = cause.payment_id AND e.event <> ${sql.lit(FEE_RECORDED)} OFFSET 0) AS posted
      WHERE cause.is_first
    ), difference AS (
      SELECT n, account, currency, reference, sum(amount)::bigint AS amount FROM wanted_less_posted
      GROUP BY n, account, currency, reference HAVING sum(amount) <> 0
    )
    INSERT INTO ledger_entries (transaction_id, line, tenant, account, currency, amount, reference, payment_id, event, occurred_at)
    SELECT cause.id, row_number() OVER (PARTITION BY n ORDER BY account, currency, reference), cause.tenant, account, currency, amount, reference,
      payment_id, cause.fact, cause.occurred_at
    FROM difference JOIN cause USING (n) JOIN newest USING (payment_id)`.execute(tx);
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
