import { type CheckoutView } from '@tidegate/contracts/responses';
import { type Selectable } from 'kysely';
import { type CheckoutsTable } from '../tables.js';
import { snapshotOf } from './checkout.publish.js';
import { type Checkout } from './checkout.state.js';

type Row = Pick<
  Selectable<CheckoutsTable>,
  | 'id'
  | 'status'
  | 'url'
  | 'window_ends_at'
  | 'payment_id'
  | 'payment_status'
  | 'late_success'
  | 'amount'
  | 'currency'
  | 'customer'
  | 'stripe_session'
  | 'failure'
  | 'metadata'
  | 'created_at'
  | 'updated_at'
>;

/** The checkout as REST answers it, from the projection. */
export const viewOfRow = (row: Row): CheckoutView => ({
  id: row.id,
  object: 'checkout_session',
  status: row.status,
  url: row.url,
  window_ends_at: row.window_ends_at.toISOString(),
  payment: row.payment_id,
  payment_status: row.payment_status,
  late_success: row.late_success,
  amount_total: row.amount,
  currency: row.currency,
  customer: row.customer,
  stripe_checkout_session: row.stripe_session,
  ...(row.failure ? { failure: row.failure } : {}),
  metadata: row.metadata,
  created_at: row.created_at.toISOString(),
  updated_at: row.updated_at.toISOString(),
});

/** The same from the state, for the one who asked. */
export const viewOf = (checkout: Checkout): CheckoutView => viewOfRow(shownBy(checkout));

/** What the projection shows of a checkout. */
export function shownBy(checkout: Checkout): Row {
  const { lifecycle, terms } = checkout;
  const snapshot = snapshotOf(checkout);
  const { code, detail } = lifecycle.status === 'failed' ? lifecycle.rejection : { code: '', detail: '' };
  return {
    id: terms.checkout_id,
    status: snapshot.status,
    url: 'url' in lifecycle ? lifecycle.url : null,
    window_ends_at: new Date(checkout.window_ends_at),
    payment_id: checkout.payment_id,
    payment_status: snapshot.payment_status,
    late_success: snapshot.late_success,
    amount: terms.amount,
    currency: terms.currency,
    customer: terms.customer,
    stripe_session: snapshot.stripe_checkout_session,
    failure: code === '' ? null : { code, message: detail },
    metadata: terms.metadata,
    created_at: new Date(checkout.created_at),
    updated_at: new Date(checkout.updated_at),
  };
}
