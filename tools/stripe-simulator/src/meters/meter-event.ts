import { type Stored } from '../store/collection.js';

/** Usage as the API shows it. */
export interface MeterEvent {
  readonly object: 'billing.meter_event';
  readonly created: number;
  readonly event_name: string;
  readonly identifier: string;
  readonly livemode: false;
  readonly payload: Readonly<Record<string, string>>;
  /** Seconds: when the usage happened. */
  readonly timestamp: number;
}

/** An accepted event. `id` is unique for ever, the identifier only within its window. */
export interface MeterEventRecord extends Stored {
  readonly event: MeterEvent;
  readonly meter: string;
  readonly customer: string;
  readonly identifier: string;
  readonly value: number;
  readonly canceled: boolean;
}
