import { API_VERSION } from '../schema/schema.js';
import { type World } from '../world.js';
import { type Endpoint } from './endpoint.js';
import { registerEndpoint } from './routes.js';

/** A webhook endpoint that exists from the start; `secrets` sign every delivery, one signature each. */
export interface FixedEndpoint {
  readonly url: string;
  readonly secrets: readonly string[];
  /** `['*']` by default. */
  readonly enabledEvents?: readonly string[];
  readonly apiVersion?: string;
}

/**
 * Makes the fixed endpoints exactly these, with their current secrets. Those of a restored state keep their ids, even under a new
 * URL (a stack that moved to other ports), so their unfinished deliveries go on.
 */
export function ensureEndpoints(world: World, wanted: readonly FixedEndpoint[]): void {
  const left = world.endpoints.all().filter(({ fixed }) => fixed);
  const take = (fits: (endpoint: Endpoint) => boolean): Endpoint | undefined => {
    const at = left.findIndex(fits);
    return at === -1 ? undefined : left.splice(at, 1)[0];
  };
  const known = wanted.map(({ url }) => take((endpoint) => endpoint.url === url));
  wanted.forEach(({ url, secrets, enabledEvents = ['*'], apiVersion = API_VERSION }, place) => {
    const settings = { url, secrets, enabled_events: enabledEvents, api_version: apiVersion, fixed: true } as const;
    const before = known[place] ?? take(() => true);
    if (before === undefined) registerEndpoint(world, settings);
    else world.endpoints.replace({ ...before, ...settings, status: 'enabled' });
  });
  for (const { id } of left) world.endpoints.remove(id);
}
