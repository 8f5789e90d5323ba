import { newCustomer } from '../customers/create.js';
import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { type CheckoutSession, type CustomerDetails } from './session.js';

/** What the customer types on the page. */
export interface Buyer {
  readonly email?: string;
  readonly name?: string;
}

/** The session with what is known about the buyer, and with a customer where the session asks for one. */
export function withBuyer(world: World, session: CheckoutSession, buyer: Buyer, cause: Cause): CheckoutSession {
  const known = session.customer === null ? undefined : world.customers.get(session.customer);
  const details: CustomerDetails = {
    address: known?.address ?? { city: null, country: 'US', line1: null, line2: null, postal_code: null, state: null },
    business_name: null,
    email: session.customer_email ?? known?.email ?? buyer.email ?? session.customer_details?.email ?? null,
    individual_name: null,
    name: buyer.name ?? known?.name ?? session.customer_details?.name ?? null,
    phone: known?.phone ?? null,
    tax_exempt: 'none',
    tax_ids: [],
  };
  const customer =
    session.customer ??
    (session.customer_creation === 'always' ? newCustomer(world, { email: details.email, name: details.name }, cause).id : null);
  return world.checkoutSessions.replace({ ...session, customer, customer_details: details });
}
