import { mustExistCustomer } from '../customers/find.js';
import { type Call } from '../http/call.js';
import { invalidParam } from '../http/errors.js';
import { formatAmount, minimumAmount } from '../money/currencies.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type Params } from '../schema/params.js';
import { schema } from '../schema/schema.js';
import { type World } from '../world.js';
import { checkedExpiry, planExpiry } from './expiry.js';
import { readItems } from './items.js';
import { newSession } from './new-session.js';
import { type CheckoutItem, type CheckoutSession, type SessionMode } from './session.js';

const SUPPORTED = [
  ...['allow_promotion_codes', 'allowed_payment_method_types', 'billing_address_collection', 'cancel_url', 'client_reference_id'],
  ...['currency', 'customer', 'customer_creation', 'customer_email', 'customer_update', 'excluded_payment_method_types', 'expand'],
  ...['expires_at', 'integration_identifier', 'line_items', 'locale', 'metadata', 'mode', 'origin_context', 'payment_intent_data'],
  ...['payment_method_collection', 'phone_number_collection', 'redirect_on_completion', 'return_url', 'setup_intent_data', 'submit_type'],
  ...['subscription_data', 'success_url', 'ui_mode'],
];

/** Everything else that a session can have. */
export const UNSUPPORTED_AT_CREATION = Object.keys(schema.operations['POST /v1/checkout/sessions'] ?? {}).filter(
  (name) => !SUPPORTED.includes(name),
);

/** `POST /v1/checkout/sessions`. Nothing is charged and no PaymentIntent made until somebody pays. */
export function createSession(world: World, { params, cause }: Call): CheckoutSession {
  const mode = params['mode'] as SessionMode | undefined;
  if (mode === undefined) throw invalidParam('Missing required param: mode.', 'mode', 'parameter_missing');
  checkWhere(params);
  checkCustomer(world, params, mode);
  checkData(params, mode);
  const metadata = mergeMetadata({}, params['metadata'] as Metadata | null | undefined);
  const expiresAt = checkedExpiry(world, params['expires_at'] as number | undefined);
  const items = readItems(world, params, mode, cause);
  checkTotal(items, mode);
  const session = world.checkoutSessions.insert(newSession(world, params, { mode, items, metadata, expiresAt }));
  const data = (name: string): Params => (params[name] as Params | undefined) ?? {};
  world.checkoutOrders.insert({
    id: session.id,
    items,
    paymentIntentData: data('payment_intent_data'),
    subscriptionData: data('subscription_data'),
    setupIntentData: data('setup_intent_data'),
  });
  planExpiry(world, session);
  return session;
}

/** Hosted pages redirect to `success_url`; the others are part of a page of the caller's own and return to `return_url`. */
function checkWhere(params: Params): void {
  const hosted = (params['ui_mode'] ?? 'hosted_page') === 'hosted_page';
  if (hosted && typeof params['success_url'] !== 'string')
    throw invalidParam('Missing required param: success_url.', 'success_url', 'parameter_missing');
  const wrong = (hosted ? ['return_url', 'redirect_on_completion'] : ['success_url', 'cancel_url']).find(
    (name) => params[name] !== undefined,
  );
  if (wrong !== undefined)
    throw invalidParam(`You can not pass \`${wrong}\` when \`ui_mode\` is \`${String(params['ui_mode'] ?? 'hosted_page')}\`.`, wrong);
  if (!hosted && params['redirect_on_completion'] !== 'never' && typeof params['return_url'] !== 'string') {
    throw invalidParam('Missing required param: return_url.', 'return_url', 'parameter_missing');
  }
  for (const name of ['success_url', 'cancel_url', 'return_url']) {
    const url = params[name] as string | undefined;
    if (url !== undefined && !URL.canParse(url.replaceAll('{CHECKOUT_SESSION_ID}', 'id')))
      throw invalidParam('Not a valid URL', name, 'url_invalid');
  }
}

function checkCustomer(world: World, params: Params, mode: SessionMode): void {
  const customer = params['customer'] as string | undefined;
  const other = ['customer_email', 'customer_creation'].find((name) => params[name] !== undefined);
  if (customer !== undefined && other !== undefined) {
    throw invalidParam(`You may only specify one of these parameters: customer, ${other}.`, other, 'parameters_exclusive');
  }
  if (customer !== undefined) mustExistCustomer(world, customer);
  if (mode === 'subscription' && params['customer_creation'] !== undefined) {
    throw invalidParam('`customer_creation` can only be used in `payment` and `setup` mode.', 'customer_creation');
  }
}

function checkData(params: Params, mode: SessionMode): void {
  const belongs = { payment_intent_data: 'payment', subscription_data: 'subscription', setup_intent_data: 'setup' } as const;
  for (const [name, its] of Object.entries(belongs)) {
    if (params[name] !== undefined && mode !== its) throw invalidParam(`You can not pass \`${name}\` in \`${mode}\` mode.`, name);
  }
  const inside = [
    ...['application_fee_amount', 'on_behalf_of', 'transfer_data'].map((field) => ['payment_intent_data', field] as const),
    ...UNSUPPORTED_SUBSCRIPTION_DATA.map((field) => ['subscription_data', field] as const),
    ['setup_intent_data', 'on_behalf_of'] as const,
  ];
  for (const [name, field] of inside) {
    if ((params[name] as Params | undefined)?.[field] === undefined) continue;
    throw invalidParam(`This simulator does not support the parameter ${name}[${field}] here (Stripe does).`, `${name}[${field}]`);
  }
}

const UNSUPPORTED_SUBSCRIPTION_DATA = [
  ...[
    'application_fee_percent',
    'billing_cycle_anchor',
    'billing_cycle_anchor_config',
    'billing_mode',
    'default_tax_rates',
    'invoice_settings',
  ],
  ...['on_behalf_of', 'pending_invoice_item_interval', 'proration_behavior', 'transfer_data', 'billing_schedules'],
];

/** A payment is either nothing at all or at least the currency's minimum. */
function checkTotal(items: readonly CheckoutItem[], mode: SessionMode): void {
  const total = items.reduce((sum, item) => sum + item.amount_total, 0);
  const currency = items[0]?.currency;
  if (mode !== 'payment' || total === 0 || currency === undefined || total >= minimumAmount(currency)) return;
  throw invalidParam(
    `The Checkout Session's total amount due must add up to at least ${formatAmount(minimumAmount(currency), currency)}`,
    'line_items',
    'amount_too_small',
  );
}
