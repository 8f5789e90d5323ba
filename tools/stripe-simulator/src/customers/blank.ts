import { type World } from '../world.js';
import { type Customer } from './customer.js';

/** A customer of whom nothing is known yet. */
export function blank(world: World): Customer {
  return {
    id: world.ids.next('cus'),
    object: 'customer',
    address: null,
    balance: 0,
    created: world.clock.nowSeconds(),
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: null,
    discount: null,
    email: null,
    invoice_prefix: world.ids.text(8).toUpperCase(),
    invoice_settings: { custom_fields: null, default_payment_method: null, footer: null, rendering_options: null },
    livemode: false,
    metadata: {},
    name: null,
    next_invoice_sequence: 1,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
    test_clock: null,
  };
}
