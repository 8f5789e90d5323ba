import { paySession } from '../checkout/pay.js';
import { type CheckoutSession } from '../checkout/session.js';
import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { type Body, text } from './body.js';

/** `pay_checkout {session, payment_method?: "pm_card_visa", email?, name?}`: a customer pays on the hosted page. */
export function payCheckoutAction(world: World, body: Body, cause: Cause): CheckoutSession {
  const typed = (name: string): object => (typeof body[name] === 'string' ? { [name]: body[name] } : {});
  return paySession(
    world,
    text(body, 'session'),
    { payment_method: 'pm_card_visa', ...typed('payment_method'), ...typed('email'), ...typed('name') },
    cause,
  );
}
