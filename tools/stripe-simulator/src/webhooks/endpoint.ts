import { type Metadata } from '../schema/metadata-param.js';
import { type Stored } from '../store/collection.js';

/** An endpoint as stored; `secrets` never leave except the first one in the answer to its creation. */
export interface Endpoint extends Stored {
  readonly object: 'webhook_endpoint';
  readonly api_version: string | null;
  readonly application: null;
  readonly created: number;
  readonly description: string | null;
  readonly enabled_events: readonly string[];
  readonly livemode: false;
  readonly metadata: Metadata;
  readonly status: 'enabled' | 'disabled';
  readonly url: string;
  readonly secrets: readonly string[];
  /** Given at start rather than made through the API: survives a reset. */
  readonly fixed: boolean;
}

/** The endpoint as the API shows it, without its secrets. */
export function endpointView(endpoint: Endpoint): Omit<Endpoint, 'secrets' | 'fixed'> {
  const { secrets: _secrets, fixed: _fixed, ...shown } = endpoint;
  return shown;
}
