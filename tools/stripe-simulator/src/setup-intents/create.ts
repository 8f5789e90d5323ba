import { mustExistCustomer } from '../customers/find.js';
import { type Call } from '../http/call.js';
import { invalidParam } from '../http/errors.js';
import { allowedTypes, mustBeAllowed } from '../payment-methods/allowed-types.js';
import { automaticMethods } from '../payment-methods/return-url.js';
import { usablePaymentMethod } from '../payment-methods/use.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type Params } from '../schema/params.js';
import { type World } from '../world.js';
import { applyOutcome } from './apply.js';
import { submitSetup } from './confirm.js';
import { prepareSetup } from './prepare.js';
import { type SetupIntent } from './setup-intent.js';

const ONLY_WITH_CONFIRM = ['return_url', 'mandate_data'];

/** `POST /v1/setup_intents`; with `confirm=true` creation and confirmation are one request. */
export function createSetup(world: World, { params, cause }: Call): SetupIntent {
  const early = params['confirm'] === true ? undefined : ONLY_WITH_CONFIRM.find((name) => params[name] !== undefined);
  if (early !== undefined) throw invalidParam(`You may only specify \`${early}\` when creating a SetupIntent with confirm=true.`, early);
  const intent = newSetup(world, params);
  const confirmation = params['confirm'] === true ? prepareSetup(world, intent, { ...params, payment_method: undefined }) : undefined;
  const created = applyOutcome(world, intent.payment_method === null ? 'created' : 'created_with_method', intent, cause);
  return confirmation === undefined ? created : submitSetup(world, confirmation, cause);
}

function newSetup(world: World, params: Params): SetupIntent {
  const customer = params['customer'] as string | undefined;
  if (customer !== undefined) mustExistCustomer(world, customer);
  const automatic = automaticMethods(params);
  const types = allowedTypes(params, { automatic: automatic !== null });
  const asked = params['payment_method'] as string | undefined;
  const method = asked === undefined ? undefined : usablePaymentMethod(world, asked, customer);
  if (method !== undefined) mustBeAllowed(method, types, 'SetupIntent');
  const id = world.ids.next('seti');
  return {
    id,
    object: 'setup_intent',
    allowed_payment_method_types: (params['allowed_payment_method_types'] as string[] | undefined) ?? null,
    application: null,
    automatic_payment_methods: automatic,
    cancellation_reason: null,
    client_secret: `${id}_secret_${world.ids.text(25)}`,
    created: world.clock.nowSeconds(),
    customer: customer ?? null,
    customer_account: null,
    description: (params['description'] as string | null | undefined) ?? null,
    excluded_payment_method_types: (params['excluded_payment_method_types'] as string[] | undefined) ?? null,
    flow_directions: null,
    last_setup_error: null,
    latest_attempt: null,
    livemode: false,
    managed_payments: null,
    mandate: null,
    metadata: mergeMetadata({}, params['metadata'] as Metadata | null | undefined),
    next_action: null,
    on_behalf_of: null,
    payment_method: method?.id ?? null,
    payment_method_configuration_details: null,
    payment_method_options: { card: { mandate_options: null, network: null, request_three_d_secure: 'automatic' } },
    payment_method_types: types,
    single_use_mandate: null,
    status: 'requires_payment_method',
    usage: (params['usage'] as string | undefined) ?? 'off_session',
  };
}
