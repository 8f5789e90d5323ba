import { invalidParam, noSuch } from '../http/errors.js';
import { listPage } from '../http/list.js';
import { type Route } from '../http/route.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type World } from '../world.js';
import { type Endpoint, endpointView } from './endpoint.js';

const PATH = '/v1/webhook_endpoints';

export const webhookEndpointRoutes: readonly Route[] = [
  {
    operation: `POST ${PATH}`,
    returns: 'webhook_endpoint',
    unsupported: ['connect'],
    handle: (world, { params }) => {
      const secret = `whsec_${world.ids.text(32)}`;
      const endpoint = registerEndpoint(world, {
        url: checkedUrl(params['url'] as string),
        secrets: [secret],
        enabled_events: checkedEvents(params['enabled_events'] as string[]),
        api_version: (params['api_version'] as string | undefined) ?? null,
        description: (params['description'] as string | null | undefined) ?? null,
        metadata: mergeMetadata({}, params['metadata'] as Metadata | null | undefined),
      });
      return { ...endpointView(endpoint), secret };
    },
  },
  {
    operation: `GET ${PATH}`,
    returns: 'list<webhook_endpoint>',
    handle: (world, call) => {
      const page = listPage(call, world.endpoints, { noun: 'webhook endpoint', url: PATH });
      return { ...page, data: page.data.map(endpointView) };
    },
  },
  { operation: `GET ${PATH}/{id}`, returns: 'webhook_endpoint', handle: (world, { id }) => endpointView(endpointById(world, id)) },
  {
    operation: `POST ${PATH}/{id}`,
    returns: 'webhook_endpoint',
    handle: (world, { id, params }) => {
      const before = endpointById(world, id);
      const { url, enabled_events: events, disabled, description } = params as Record<string, unknown>;
      const after = world.endpoints.replace({
        ...before,
        url: url === undefined ? before.url : checkedUrl(url as string),
        enabled_events: events === undefined ? before.enabled_events : checkedEvents(events as string[]),
        status: disabled === undefined ? before.status : disabled === true ? 'disabled' : 'enabled',
        description: description === undefined ? before.description : (description as string | null),
        metadata: mergeMetadata(before.metadata, params['metadata'] as Metadata | null | undefined),
      });
      return endpointView(after);
    },
  },
  {
    operation: `DELETE ${PATH}/{id}`,
    returns: 'deleted_webhook_endpoint',
    handle: (world, { id }) => {
      endpointById(world, id);
      world.endpoints.remove(id);
      return { id, object: 'webhook_endpoint', deleted: true };
    },
  },
];

export type NewEndpoint = Pick<Endpoint, 'url' | 'secrets' | 'enabled_events' | 'api_version'> &
  Partial<Pick<Endpoint, 'description' | 'metadata' | 'fixed'>>;

/** Adds an enabled endpoint. */
export function registerEndpoint(world: World, given: NewEndpoint): Endpoint {
  return world.endpoints.insert({
    id: world.ids.next('we'),
    object: 'webhook_endpoint',
    api_version: given.api_version,
    application: null,
    created: world.clock.nowSeconds(),
    description: given.description ?? null,
    enabled_events: given.enabled_events,
    livemode: false,
    metadata: given.metadata ?? {},
    status: 'enabled',
    url: given.url,
    secrets: given.secrets,
    fixed: given.fixed ?? false,
  });
}

function endpointById(world: World, id: string): Endpoint {
  const endpoint = world.endpoints.get(id);
  if (endpoint === undefined) throw noSuch('webhook endpoint', id, 'id');
  return endpoint;
}

function checkedUrl(url: string): string {
  if (/^https?:\/\/[^\s/]+/.test(url) && URL.canParse(url)) return url;
  throw invalidParam('Invalid URL: An explicit scheme (such as https) must be provided.', 'url', 'url_invalid');
}

function checkedEvents(events: readonly string[]): readonly string[] {
  if (events.length > 0) return events;
  throw invalidParam('Missing required param: enabled_events.', 'enabled_events', 'parameter_missing');
}
