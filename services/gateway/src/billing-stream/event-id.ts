import type { Place } from '@tidegate/messaging/position-header';

/** The id of an event on the wire, `epoch:position`. Position 0 is the beginning of an outbox that has published nothing. */
export const EVENT_ID = /^([1-9]\d{0,14}):(0|[1-9]\d{0,14})$/;

/** Null for what is no id of ours. */
export function parseEventId(text: string): Place | null {
  const match = EVENT_ID.exec(text);
  return match ? { epoch: Number(match[1]), position: Number(match[2]) } : null;
}
