import { type Stored } from '../store/collection.js';

export interface Meter extends Stored {
  readonly object: 'billing.meter';
  readonly created: number;
  readonly customer_mapping: { readonly event_payload_key: string; readonly type: 'by_id' };
  readonly default_aggregation: { readonly formula: 'sum' | 'count' | 'last' };
  readonly display_name: string;
  readonly event_name: string;
  readonly event_time_window: 'day' | 'hour' | null;
  readonly livemode: false;
  readonly status: 'active' | 'inactive';
  readonly status_transitions: { readonly deactivated_at: number | null };
  readonly updated: number;
  readonly value_settings: { readonly event_payload_key: string };
}
