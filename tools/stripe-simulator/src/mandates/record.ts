import { type PaymentMethod } from '../payment-methods/payment-method.js';
import { type World } from '../world.js';
import { type Mandate } from './mandate.js';

/** What a mandate permits: one payment, or any later ones. */
export type MandateUse = { readonly amount: number; readonly currency: string } | 'multi_use';

/** Writes the permission that the customer has given (`mandate_data[customer_acceptance]`). */
export function recordMandate(world: World, method: PaymentMethod, acceptance: object, use: MandateUse): Mandate {
  const id = world.ids.next('mandate');
  return world.mandates.insert({
    id,
    object: 'mandate',
    customer_acceptance: accepted(world, acceptance),
    livemode: false,
    ...(use === 'multi_use' ? { multi_use: {}, type: 'multi_use' } : { single_use: use, type: 'single_use' }),
    payment_method: method.id,
    payment_method_details: {
      type: method.type,
      [method.type]:
        method.type === 'sepa_debit' ? { reference: id.slice(-16).toUpperCase(), url: `${world.baseUrl}/__mandates/${id}` } : {},
    },
    status: 'active',
  });
}

function accepted(world: World, given: object): object {
  const { accepted_at: at, ...rest } = given as { accepted_at?: number };
  return { accepted_at: at ?? world.clock.nowSeconds(), ...rest };
}
