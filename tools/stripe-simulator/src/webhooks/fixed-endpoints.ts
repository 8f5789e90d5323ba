import { API_VERSION } from '../schema/schema.js';
import { type World } from '../world.js';
import { registerEndpoint } from './routes.js';

/** A webhook endpoint that exists from the start; `secrets` sign every delivery, one signature each. */
export interface FixedEndpoint {
  readonly url: string;
  readonly secrets: readonly string[];
  /** `['*']` by default. */
  readonly enabledEvents?: readonly string[];
  readonly apiVersion?: string;
}

/** Adds the endpoints unless a restored state has them already; their secrets are the current ones. Gives their ids. */
export function ensureEndpoints(world: World, wanted: readonly FixedEndpoint[]): ReadonlySet<string> {
  const ids = wanted.map(({ url, secrets, enabledEvents = ['*'], apiVersion = API_VERSION }) => {
    const known = world.endpoints.all().find((endpoint) => endpoint.url === url);
    if (known !== undefined) return world.endpoints.replace({ ...known, secrets, status: 'enabled' }).id;
    return registerEndpoint(world, { url, secrets, enabled_events: enabledEvents, api_version: apiVersion }).id;
  });
  return new Set(ids);
}
