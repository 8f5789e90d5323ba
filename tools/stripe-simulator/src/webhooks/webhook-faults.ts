import { type FaultBox } from '../faults/fault-box.js';

export interface Disturbance {
  readonly dropped: boolean;
  /** Deliveries beyond the first. */
  readonly copies: number;
  readonly delayMs: number;
  readonly reorderWindowMs: number;
}

const DEFAULT_DELAY_MS = 1_000;
const DEFAULT_REORDER_WINDOW_MS = 250;

/** Asks the faults what happens to a new delivery of an event type. */
export function disturb(faults: FaultBox, eventType: string): Disturbance {
  if (faults.isEmpty()) return UNDISTURBED;
  const delay = faults.takeWebhook('webhook_delay', eventType);
  const duplicate = faults.takeWebhook('webhook_duplicate', eventType);
  const reorder = faults.takeWebhook('webhook_reorder', eventType);
  return {
    dropped: faults.takeWebhook('webhook_drop', eventType) !== undefined,
    copies: duplicate === undefined ? 0 : (duplicate.copies ?? 1),
    delayMs: delay === undefined ? 0 : (delay.ms ?? DEFAULT_DELAY_MS),
    reorderWindowMs: reorder === undefined ? 0 : (reorder.ms ?? DEFAULT_REORDER_WINDOW_MS),
  };
}

const UNDISTURBED: Disturbance = { dropped: false, copies: 0, delayMs: 0, reorderWindowMs: 0 };
