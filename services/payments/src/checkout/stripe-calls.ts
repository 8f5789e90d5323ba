import { type Failpoints } from '@tidegate/database/failpoints';
import { type CheckoutSession } from '@tidegate/stripe-gateway/intent';
import { type StripeOutcome, type StripePort } from '@tidegate/stripe-gateway/port';
import { withFailpoints } from '@tidegate/stripe-gateway/with-failpoints';
import { type Kysely } from 'kysely';
import { detailsOf } from '../idempotency/idempotency.store.js';
import { type PaymentsTables } from '../tables.js';
import { type Checkout, type Lifecycle } from './checkout.state.js';

export interface StripeCallsDeps {
  db: Kysely<PaymentsTables>;
  stripe: StripePort;
  failpoints: Failpoints;
}

type Of<S extends Lifecycle['status']> = Extract<Lifecycle, { status: S }>;

/** The calls that open and close pages. All they send follows from the accepted request, so that a repeated call is byte-equal; keys are `{command}:{step}:{n}`. */
export class StripeCalls {
  constructor(private readonly deps: StripeCallsDeps) {}

  async open({ terms }: Checkout, { call }: Of<'opening'>): Promise<StripeOutcome<CheckoutSession>> {
    const details = await detailsOf(this.deps.db, openerOf(terms.checkout_id));
    return this.at('payments.checkout.session').createCheckoutSession(
      {
        currency: terms.currency,
        lineItems: (details.line_items ?? []).map(({ name, quantity, unit_amount }) => ({ name, quantity, unitAmount: unit_amount })),
        successUrl: details.success_url ?? '',
        cancelUrl: details.cancel_url ?? '',
        expiresAt: call.expires_at,
        metadata: { ...terms.metadata, tenant_id: terms.tenant, checkout_id: terms.checkout_id, command_id: call.command_id },
        ...(terms.customer === null ? {} : { customer: terms.customer }),
        ...(details.locale === undefined ? {} : { locale: details.locale }),
      },
      `${call.command_id}:session:${call.n}`,
    );
  }

  close({ stripe_session, call }: Of<'closing'>): Promise<StripeOutcome<CheckoutSession>> {
    return this.at('payments.checkout.expire').expireCheckoutSession(stripe_session, `${call.command_id}:expire:${call.n}`);
  }

  /** The port with the failpoints of one step around each call. */
  at(name: string): StripePort {
    return withFailpoints(this.deps.stripe, this.deps.failpoints, name);
  }
}

/** Under which name the details of a checkout are kept: every page of it is made from them. */
export const openerOf = (checkoutId: string): string => `${checkoutId}:page`;
