import { invalidParam, noSuch } from '../http/errors.js';
import { type PaymentMethod } from '../payment-methods/payment-method.js';
import { type Params } from '../schema/params.js';
import { type World } from '../world.js';
import { type Mandate } from './mandate.js';
import { type MandateUse, recordMandate } from './record.js';

/** The mandate of a path id (404) or of a parameter (400). */
export function mandateById(world: World, id: string, param = 'id'): Mandate {
  const mandate = world.mandates.get(id);
  if (mandate === undefined) throw noSuch('mandate', id, param);
  return mandate;
}

/**
 * The permission under which a bank account is debited: given with this request, named by it, or given for good before.
 * Throws 400 without one; cards need none (undefined).
 */
export function mandateFor(world: World, method: PaymentMethod, params: Params, use: MandateUse, noun: string): Mandate | undefined {
  if (method.type === 'card') return undefined;
  const data = params['mandate_data'] as { customer_acceptance: object } | null | undefined;
  if (data) return recordMandate(world, method, data.customer_acceptance, use);
  const named = params['mandate'] as string | undefined;
  const known = world.mandates.by('payment_method', method.id).filter(({ type, status }) => type === 'multi_use' && status === 'active');
  if (named === undefined && known.length > 0) return known.at(-1);
  const mandate = named === undefined ? undefined : mandateById(world, named, 'mandate');
  if (mandate !== undefined && known.includes(mandate)) return mandate;
  throw invalidParam(
    `This ${noun} requires a mandate, but no existing mandate was found. Collect mandate acceptance from the customer and retry the request, providing acceptance data in the mandate_data parameter.`,
    mandate === undefined ? 'mandate_data' : 'mandate',
  );
}
