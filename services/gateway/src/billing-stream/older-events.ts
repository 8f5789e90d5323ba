import type { Place } from '@tidegate/messaging/position-header';
import { eventOf } from './event-frame.js';
import { isBelowFloor } from './feed.decide.js';
import type { OutboxPages } from './outbox-pages.js';
import { Slots } from './slots.js';

/** What comes after a place that is no longer in memory. */
export type Older =
  /** Of the tenant, and how far that brings the client, which may be no further. */
  | { kind: 'page'; frames: Buffer[]; through: number }
  | { kind: 'below_floor' }
  /** Payments was restored; this process will know in a moment. */
  | { kind: 'other_epoch' };

/** A client that is behind. */
export interface OlderReader {
  tenant: string;
  gone(): boolean;
  /** Keeps its place until this is done. */
  use(older: Older): Promise<void>;
}

/** Each page that is in hand takes memory, at most 512 KiB, until its client has taken it. */
const AT_ONCE = 32;
const PAGE = 200;

/** What connections that are behind the memory of this process read: payments' outbox, page by page, some of them at a time, the tenants in turn. */
export class OlderEvents {
  readonly #slots = new Slots(AT_ONCE);

  constructor(private readonly outbox: OutboxPages) {}

  /** Hands over the next page of a tenant, when its turn comes. Throws while payments does not answer. */
  read(after: Place, reader: OlderReader): Promise<void> {
    return this.#slots.run(reader.tenant, async () => {
      if (!reader.gone()) await reader.use(await this.#page(after, reader.tenant));
    });
  }

  async #page(after: Place, tenant: string): Promise<Older> {
    const page = await this.outbox.read(after.position, PAGE);
    if (page.epoch !== after.epoch) return { kind: 'other_epoch' };
    const first = page.rows[0]?.position;
    if (isBelowFloor(after, page) || (first !== undefined && first !== after.position + 1)) return { kind: 'below_floor' };
    const events = page.rows.flatMap((row) => eventOf({ epoch: page.epoch, position: row.position }, row.body) ?? []);
    const frames = events.filter((event) => event.tenant === tenant).map((event) => event.frame);
    return { kind: 'page', frames, through: page.rows.at(-1)?.position ?? after.position };
  }
}
