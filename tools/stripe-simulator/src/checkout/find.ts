import { noSuch, refused } from '../http/errors.js';
import { type World } from '../world.js';
import { type CheckoutOrder, type CheckoutSession } from './session.js';
import { ALLOWED_FROM, type SessionOperation } from './transitions.js';

/** The session of a path id (404) or of a parameter (400). */
export function sessionById(world: World, id: string, param = 'id'): CheckoutSession {
  const session = world.checkoutSessions.get(id);
  if (session === undefined) throw noSuch('checkout.session', id, param);
  return session;
}

export function orderOf(world: World, session: CheckoutSession): CheckoutOrder {
  const order = world.checkoutOrders.get(session.id);
  if (order === undefined) throw new Error(`Bug: ${session.id} has no order`);
  return order;
}

/** Refuses an operation that the session's state does not allow. */
export function mustAllow(operation: SessionOperation, { status }: CheckoutSession): void {
  if (!ALLOWED_FROM[operation].includes(status)) throw refused(MESSAGES[operation](status), undefined);
}

const MESSAGES: Readonly<Record<SessionOperation, (status: string) => string>> = {
  expire: (status) => `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of ${status}.`,
  pay: (status) =>
    status === 'expired'
      ? 'This Checkout Session has expired and can no longer be paid.'
      : 'This Checkout Session is complete and can no longer be paid.',
};
