import type { CompareDb, ObjectKind } from '../compare/kind.js';
import {
  compareAbsentMovement,
  compareMisposted,
  compareMovement,
  compareUnbalanced,
  compareUncleared,
  type Misposted,
  type NotDue,
  type PostedMovement,
  remoteMovement,
  type RemoteMovement,
  type Unbalanced,
  type Uncleared,
} from './check.decide.js';
import {
  mispostedPayments,
  movementsOf,
  stillMisposted,
  stillUnbalanced,
  stillUncleared,
  sweptTo,
  unbalancedTransactions,
  unclearedReferences,
  unseenMovements,
} from './check.query.js';

/** Stripe's balance transactions, and what is posted of them. */
export const balanceTransactionKind: ObjectKind<RemoteMovement, PostedMovement | NotDue> = {
  name: 'balance_transaction',
  remote: {
    async list(stripe, query) {
      const page = await stripe.listBalanceTransactions(query);
      return page.kind === 'ok' ? { ...page, value: { ...page.value, data: page.value.data.map(remoteMovement) } } : page;
    },
    async retrieve(stripe, id) {
      const movement = await stripe.retrieveBalanceTransaction(id);
      return movement.kind === 'ok' ? { ...movement, value: remoteMovement(movement.value) } : movement;
    },
    recordedFor: movementsFor,
    compare: compareMovement,
    isOf: (ours, { id }) => ours.transaction_id === id,
    countsForeign: false,
  },
  local: {
    unseen: unseenMovements,
    byId: async (db, id) => (await movementsOf(db, [id]))[0] ?? null,
    compareAbsent: compareAbsentMovement,
    idOf: (posted) => posted.transaction_id ?? '',
    stripeIdOf: (posted) => posted.transaction_id,
  },
};

/** A sweep that stands still is no agreement: what is so much newer than the last movement that it has come to should have been posted. */
const SWEEP_MAY_LAG_SECONDS = 3600;

/** What is posted, and a row that says nothing for what the sweep has not come to yet. */
async function movementsFor(db: CompareDb, movements: readonly RemoteMovement[]): Promise<Map<string, PostedMovement | NotDue>> {
  const readTo = await sweptTo(db);
  const posted = await movementsOf(
    db,
    movements.map((one) => one.id),
  );
  const byId = new Map<string, PostedMovement | NotDue>(posted.map((row) => [row.transaction_id, row]));
  for (const { id, created, metadata } of movements) {
    const made_at = new Date(created * 1000);
    if (created >= readTo && (readTo === 0 || created < readTo + SWEEP_MAY_LAG_SECONDS) && !byId.has(id))
      byId.set(id, { transaction_id: null, tenant: metadata['tenant_id'] ?? '', made_at, updated_at: made_at });
  }
  return byId;
}

const none = () => null;

/** Transactions that do not sum to zero. Stripe has no part in this, nor in the next two. */
export const ledgerTransactionKind: ObjectKind<never, Unbalanced> = {
  name: 'ledger_transaction',
  local: {
    unseen: unbalancedTransactions,
    byId: stillUnbalanced,
    compareAbsent: compareUnbalanced,
    idOf: (row) => row.transaction_id,
    stripeIdOf: none,
  },
};

/** Payments that were not posted with what is recorded of them. */
export const ledgerPaymentKind: ObjectKind<never, Misposted> = {
  name: 'ledger_payment',
  local: {
    unseen: mispostedPayments,
    byId: stillMisposted,
    compareAbsent: compareMisposted,
    idOf: (row) => row.payment_id,
    stripeIdOf: none,
  },
};

/** What payments and Stripe's balance have both told of, and not alike. */
export const ledgerClearingKind: ObjectKind<never, Uncleared> = {
  name: 'ledger_clearing',
  local: {
    unseen: unclearedReferences,
    byId: stillUncleared,
    compareAbsent: compareUncleared,
    idOf: (row) => row.reference,
    stripeIdOf: none,
  },
};
