import { mustExistCustomer } from '../customers/find.js';
import { type Call } from '../http/call.js';
import { mustBeAllowed } from '../payment-methods/allowed-types.js';
import { usablePaymentMethod } from '../payment-methods/use.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type World } from '../world.js';
import { finishAttempt } from './attempts.js';
import { mustAllow, setupById } from './find.js';
import { type SetupIntent } from './setup-intent.js';

/** `POST /v1/setup_intents/{id}`. There is no event for it. */
export function updateSetup(world: World, { id, params }: Call): SetupIntent {
  const intent = setupById(world, id);
  if (params['customer'] !== undefined || params['payment_method'] !== undefined) mustAllow('update', intent);
  const customer = (params['customer'] as string | undefined) ?? intent.customer;
  if (params['customer'] !== undefined) mustExistCustomer(world, customer ?? '');
  return world.setupIntents.replace({
    ...intent,
    ...newMethod(world, { ...intent, customer }, params['payment_method'] as string | undefined),
    customer,
    description: params['description'] === undefined ? intent.description : (params['description'] as string | null),
    metadata: mergeMetadata(intent.metadata, params['metadata'] as Metadata | null | undefined),
  });
}

function newMethod(world: World, intent: SetupIntent, id: string | undefined): Partial<SetupIntent> {
  if (id === undefined) return {};
  const method = usablePaymentMethod(world, id, intent.customer ?? undefined);
  mustBeAllowed(method, intent.payment_method_types, 'SetupIntent');
  finishAttempt(world, intent, 'abandoned');
  return { payment_method: method.id, status: 'requires_confirmation', next_action: null, last_setup_error: null };
}
