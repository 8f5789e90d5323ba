import { type Route, UNDESCRIBED } from '../http/route.js';
import { type Fields } from '../schema/node.js';
import { API_VERSION } from '../schema/schema.js';
import { WEBSOCKET_PATH } from './websocket.js';

/** The CLI then makes a new connection and misses what happens meanwhile, so rarely. */
const RECONNECT_SECONDS = 86_400;
const TEXT = { t: 'string', opt: true } as const;
const FIELDS: Fields = {
  device_name: TEXT,
  device_token: TEXT,
  filters: TEXT,
  forward_to_url: TEXT,
  forward_connect_to_url: TEXT,
  forward_thin_to_url: TEXT,
  forward_thin_connect_to_url: TEXT,
  websocket_features: { t: 'array', items: { t: 'enum', enum: ['webhooks', 'v2_events'] } },
};

/** The endpoint with which `stripe listen` begins. Not in Stripe's API description; shaped after what the CLI sends and reads. */
export const cliRoutes: readonly Route[] = [
  {
    operation: 'POST /v1/stripecli/sessions',
    returns: UNDESCRIBED,
    fields: FIELDS,
    handle: (world, { params }) => {
      const features = params['websocket_features'] as string[];
      const session = world.listeners.open({
        snapshot: features.includes('webhooks'),
        thin: features.includes('v2_events'),
        forwardSnapshotTo: (params['forward_to_url'] as string | undefined) ?? null,
        forwardThinTo: (params['forward_thin_to_url'] as string | undefined) ?? null,
      });
      return {
        websocket_url: `${world.baseUrl.replace('http', 'ws')}${WEBSOCKET_PATH}`,
        websocket_id: session.id,
        websocket_authorized_feature: features[0] ?? 'webhooks',
        secret: world.listeners.secret,
        reconnect_delay: RECONNECT_SECONDS,
        default_version: world.settings.accountApiVersion,
        latest_version: API_VERSION,
        device_token: '',
        display_connect_filter_warning: false,
      };
    },
  },
];
