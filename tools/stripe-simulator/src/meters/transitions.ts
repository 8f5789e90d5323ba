import { type Meter } from './meter.js';

export type MeterOperation = 'update' | 'deactivate' | 'reactivate' | 'record';

/** Which states allow which operation; everywhere else it is refused with 400. */
export const ALLOWED_FROM: Readonly<Record<MeterOperation, readonly Meter['status'][]>> = {
  update: ['active', 'inactive'],
  deactivate: ['active'],
  reactivate: ['inactive'],
  record: ['active'],
};

/** The exact events of each. Usage has none: it is billed, not told. */
export const EVENTS: Readonly<Record<MeterOperation, readonly string[]>> = {
  update: ['billing.meter.updated'],
  deactivate: ['billing.meter.deactivated'],
  reactivate: ['billing.meter.reactivated'],
  record: [],
};
