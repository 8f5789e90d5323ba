import { type Metadata } from '../schema/metadata-param.js';
import { type Params } from '../schema/params.js';
import { type World } from '../world.js';
import { type CheckoutItem, type CheckoutSession, type SessionMode } from './session.js';

interface Ingredients {
  readonly mode: SessionMode;
  readonly items: readonly CheckoutItem[];
  readonly metadata: Metadata;
  readonly expiresAt: number;
}

const PATHS = { hosted: '/__checkout/' } as const;

/** Where the customer pays. */
export function payUrl(world: World, id: string): string {
  return `${world.baseUrl}${PATHS.hosted}${id}`;
}

/** An open session as the API shows it. */
export function newSession(world: World, params: Params, { mode, items, metadata, expiresAt }: Ingredients): CheckoutSession {
  const id = `cs_test_${world.ids.text(58)}`;
  const hosted = (params['ui_mode'] ?? 'hosted_page') === 'hosted_page';
  const total = mode === 'setup' ? null : items.reduce((sum, item) => sum + item.amount_total, 0);
  const text = (name: string): string | null => (params[name] as string | undefined) ?? null;
  const currency = items[0]?.currency ?? text('currency')?.toLowerCase() ?? null;
  return {
    ...NOTHING,
    id,
    object: 'checkout.session',
    allow_promotion_codes: (params['allow_promotion_codes'] as boolean | undefined) ?? null,
    allowed_payment_method_types: (params['allowed_payment_method_types'] as string[] | undefined) ?? null,
    amount_subtotal: total,
    amount_total: total,
    billing_address_collection: text('billing_address_collection'),
    cancel_url: text('cancel_url'),
    client_reference_id: text('client_reference_id'),
    client_secret: hosted ? null : `${id}_secret_${world.ids.text(40)}`,
    created: world.clock.nowSeconds(),
    currency,
    customer: text('customer'),
    customer_creation: creation(params, mode),
    customer_details: null,
    customer_email: text('customer_email'),
    ...(params['excluded_payment_method_types'] !== undefined && {
      excluded_payment_method_types: params['excluded_payment_method_types'],
    }),
    expires_at: expiresAt,
    integration_identifier: text('integration_identifier'),
    locale: text('locale'),
    metadata,
    mode,
    origin_context: text('origin_context'),
    payment_method_collection:
      mode === 'subscription'
        ? ((params['payment_method_collection'] as 'always' | undefined) ?? 'always')
        : mode === 'setup'
          ? 'always'
          : 'if_required',
    payment_method_types: (params['payment_method_types'] as string[] | undefined) ??
      (params['allowed_payment_method_types'] as string[] | undefined) ?? ['card'],
    payment_status: mode === 'setup' ? 'no_payment_required' : 'unpaid',
    phone_number_collection: (params['phone_number_collection'] as object | undefined) ?? { enabled: false },
    ...(hosted ? {} : { redirect_on_completion: params['redirect_on_completion'] ?? 'always' }),
    ...(params['return_url'] !== undefined && { return_url: params['return_url'] as string }),
    submit_type: text('submit_type'),
    success_url: text('success_url'),
    total_details: total === null ? null : { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    ui_mode: text('ui_mode') ?? 'hosted_page',
    url: hosted ? payUrl(world, id) : null,
  };
}

function creation(params: Params, mode: SessionMode): 'always' | 'if_required' | null {
  if (params['customer'] !== undefined) return null;
  if (mode === 'subscription') return 'always';
  return (params['customer_creation'] as 'always' | 'if_required' | undefined) ?? 'if_required';
}

const NOTHING = {
  adaptive_pricing: { enabled: false },
  after_expiration: null,
  automatic_tax: { enabled: false, liability: null, provider: null, status: null },
  collected_information: null,
  consent: null,
  consent_collection: null,
  currency_conversion: null,
  custom_fields: [],
  custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
  customer_account: null,
  discounts: [],
  invoice: null,
  invoice_creation: null,
  livemode: false,
  managed_payments: null,
  payment_intent: null,
  payment_link: null,
  payment_method_configuration_details: null,
  payment_method_options: { card: { request_three_d_secure: 'automatic' } },
  permissions: null,
  recovered_from: null,
  saved_payment_method_options: null,
  setup_intent: null,
  shipping_address_collection: null,
  shipping_cost: null,
  shipping_options: [],
  status: 'open',
  subscription: null,
  wallet_options: null,
} as const;
