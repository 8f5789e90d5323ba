/** What a meter makes of the events of a window: their sum, their number, or the latest value. */
export const FORMULAS = ['sum', 'count', 'last'] as const;
export type Formula = (typeof FORMULAS)[number];

/** A billing meter of the account, as far as we need it. */
export interface Meter {
  object: 'billing.meter';
  id: string;
  event_name: string;
  /** Null: one that this version does not know. */
  formula: Formula | null;
  status: 'active' | 'inactive';
  /** The names under which a payload says whose usage it is, and how much. */
  customer_key: string;
  value_key: string;
  created: number;
}

/** Usage of one customer in one window, epoch seconds, start inclusive, end exclusive. */
export interface MeterSummary {
  object: 'billing.meter_event_summary';
  id: string;
  value: number;
  start: number;
  end: number;
}
