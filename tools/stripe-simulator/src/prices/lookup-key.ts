import { type Cause } from '../http/call.js';
import { invalidParam, refused } from '../http/errors.js';
import { type Params } from '../schema/params.js';
import { type World } from '../world.js';

const MAX_LENGTH = 200;

/**
 * The `lookup_key` that a request gives a price. A key names one price: one that is taken is refused, or with `transfer_lookup_key`
 * taken away from its price.
 */
export function claimLookupKey(world: World, params: Params, cause: Cause, claimant?: string): string | null {
  const key = (params['lookup_key'] as string | null | undefined) ?? null;
  if (key === null) return null;
  if (key.length > MAX_LENGTH) throw invalidParam(`Invalid string: must be at most ${MAX_LENGTH} characters`, 'lookup_key');
  const holder = world.prices.by('lookup_key', key).find(({ id }) => id !== claimant);
  if (holder === undefined) return key;
  if (params['transfer_lookup_key'] !== true) {
    throw refused(`A price (\`${holder.id}\`) already uses that lookup key.`, 'resource_already_exists', { param: 'lookup_key' });
  }
  const after = world.prices.replace({ ...holder, lookup_key: null });
  world.events.emit('price.updated', after, cause, holder);
  return key;
}
