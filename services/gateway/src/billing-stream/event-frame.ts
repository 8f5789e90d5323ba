import { formatPlace, type Place } from '@tidegate/messaging/position-header';

/** One published event, as it goes to every connection of its tenant. */
export interface StreamEvent {
  position: number;
  tenant: string;
  /** Ready to be written. */
  frame: Buffer;
}

export type ResetReason = 'epoch' | 'below_floor';

const TYPE = /^[\w.]+$/;
const LINE_END = /\r\n|\n|\r/;

/**
 * The event that an outbox row or a message of the stream is: `id: <epoch:position>`, `event: <type>`, `data: <contract JSON>`. Null for a body that is no
 * contract of ours.
 */
export function eventOf(place: Place, body: string): StreamEvent | null {
  const { tenant, type } = read(body);
  if (typeof tenant !== 'string' || typeof type !== 'string' || !TYPE.test(type)) return null;
  const data = body.split(LINE_END).map((line) => `data: ${line}\n`);
  return { position: place.position, tenant, frame: Buffer.from(`id: ${formatPlace(place)}\nevent: ${type}\n${data.join('')}\n`) };
}

function read(body: string): { tenant?: unknown; type?: unknown } {
  try {
    return (JSON.parse(body) as { tenant?: unknown; type?: unknown } | null) ?? {};
  } catch {
    return {};
  }
}

/** The first of a connection: how long a browser waits before it connects again, and where it begins; null before a reset, which tells that itself. */
export const helloFrame = (place: Place | null, retryMs: number): string =>
  `retry: ${retryMs}\n${place ? `id: ${formatPlace(place)}\n` : ''}\n`;

/** How a client wants to be told how far it is. `event`: by one that is called `here`, since no script in a page hears of an id without data. */
export const HEARTBEAT_FORMS = ['comment', 'event'] as const;
export type HeartbeatForm = (typeof HEARTBEAT_FORMS)[number];

/** Keeps proxies from closing a quiet connection. Without `data` it is no event, yet a client keeps its id: a quiet tenant resumes from here. */
export const heartbeatFrame = (place: Place, form: HeartbeatForm): string =>
  `: still here\nid: ${formatPlace(place)}\n${form === 'event' ? 'event: here\ndata: {}\n' : ''}\n`;

/** What came between cannot be told any more: read the state anew, then go on from here. */
export const resetFrame = (place: Place, reason: ResetReason): string =>
  `id: ${formatPlace(place)}\nevent: reset\ndata: ${JSON.stringify({ reason, id: formatPlace(place) })}\n\n`;
