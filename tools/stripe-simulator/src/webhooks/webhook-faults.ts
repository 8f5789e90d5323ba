import { type FaultBox } from '../faults/fault-box.js';
import { type WebhookFault } from '../faults/fault.js';

export interface Disturbance {
  readonly dropped: boolean;
  /** Deliveries beyond the first. */
  readonly copies: number;
  readonly delayMs: number;
  readonly reorderWindowMs: number;
}

const DEFAULT_DELAY_MS = 1_000;
const DEFAULT_REORDER_WINDOW_MS = 250;

/** How one attempt is signed, and by which fault. */
export interface Signing {
  readonly secrets: readonly string[];
  readonly skewSeconds: number;
  readonly fault: WebhookFault | null;
}

const WRONG_SECRET = 'whsec_wrong';
const DEFAULT_SKEW_MS = -600_000;

/** Asks the faults how an attempt with an event of this type is signed. */
export function signing(faults: FaultBox, eventType: string, secrets: readonly string[]): Signing {
  if (faults.isEmpty()) return { secrets, skewSeconds: 0, fault: null };
  if (faults.takeWebhook('webhook_bad_signature', eventType) !== undefined)
    return { secrets: [WRONG_SECRET], skewSeconds: 0, fault: 'webhook_bad_signature' };
  if (faults.takeWebhook('webhook_two_signatures', eventType) !== undefined)
    return { secrets: [WRONG_SECRET, ...secrets], skewSeconds: 0, fault: 'webhook_two_signatures' };
  const skew = faults.takeWebhook('webhook_skew', eventType);
  if (skew === undefined) return { secrets, skewSeconds: 0, fault: null };
  return { secrets, skewSeconds: Math.round((skew.ms ?? DEFAULT_SKEW_MS) / 1_000), fault: 'webhook_skew' };
}

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
