import type { Place } from '@tidegate/messaging/position-header';
import type { StreamEvent } from './event-frame.js';

/** How far this process knows what payments has published, without a hole, and what the owner says about its outbox. */
export interface Standing extends Place {
  /** First position of the epoch. */
  epochStart: number;
  /** Lowest position that the owner still keeps. */
  floor: number;
}

/** How far this process is, and the last events before that, up to so many bytes. Every connection reads from here; none has a buffer of its own. */
export class EventLog {
  #standing: Standing | null = null;
  #events: (StreamEvent | null)[] = [];
  /** Entries of `#events` that are forgotten. */
  #forgotten = 0;
  #bytes = 0;

  constructor(private readonly maxBytes: number) {}

  /** Null until payments has answered for the first time. */
  get standing(): Readonly<Standing> | null {
    return this.#standing;
  }

  /** Goes on from there with nothing in memory: at the start, after a new epoch, or past a hole that nobody can fill. */
  beginAt(standing: Standing): void {
    this.#standing = { ...standing };
    this.#events = [];
    this.#forgotten = 0;
    this.#bytes = 0;
  }

  floorIs(floor: number): void {
    if (this.#standing) this.#standing.floor = floor;
  }

  /** The event of the next position; null stands for one that nobody can be shown. */
  append(position: number, event: StreamEvent | null): void {
    if (!this.#standing || position !== this.#standing.position + 1) throw new Error(`Bug: ${position} is not the next position`);
    this.#standing.position = position;
    this.#events.push(event);
    this.#bytes += sizeOf(event);
    while (this.#bytes > this.maxBytes && this.#forgotten < this.#events.length) this.#forgetFirst();
  }

  /** Whether the event of this position, which must not be above the standing, is in memory. */
  holds(position: number): boolean {
    return this.#indexOf(position) >= this.#forgotten;
  }

  /** Only for a position that is in memory. */
  at(position: number): StreamEvent | null {
    return this.#events[this.#indexOf(position)] ?? null;
  }

  #indexOf(position: number): number {
    return this.#events.length - 1 - ((this.#standing?.position ?? 0) - position);
  }

  #forgetFirst(): void {
    this.#bytes -= sizeOf(this.#events[this.#forgotten] ?? null);
    this.#events[this.#forgotten] = null;
    this.#forgotten += 1;
    if (this.#forgotten >= 1024 && this.#forgotten * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#forgotten);
      this.#forgotten = 0;
    }
  }
}

/** With what an entry itself takes, so that many small ones are bounded, too. */
const sizeOf = (event: StreamEvent | null): number => 200 + (event?.frame.length ?? 0);
