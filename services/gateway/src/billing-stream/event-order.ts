import type { OutboxReadReply } from '@tidegate/contracts/rpc/outbox-read';
import { eventOf } from './event-frame.js';
import type { EventLog } from './event-log.js';
import { heed, type Judgement, judge, type Word } from './feed.decide.js';

/** A message of the stream: its place in payments' outbox, and what it says. */
export interface Arrived {
  epoch: number;
  position: number;
  bytes: Buffer;
}

/** Of what the broker brought too early. More is read from the outbox when its turn comes. */
const MOST_HELD = 256;

/** Puts what comes from the broker and what is read from the outbox into one log: each position once, in order, none left out. */
export class EventOrder {
  readonly #held = new Map<number, Buffer>();

  constructor(
    private readonly log: EventLog,
    /** Called for a message that is no contract of ours; it takes its position and is shown to nobody. */
    private readonly unreadable: (position: number) => void,
  ) {}

  /** Whether something is known that has to wait for what is missing below it. */
  get waits(): boolean {
    return this.#held.size > 0;
  }

  take({ bytes, ...place }: Arrived): Judgement {
    const judgement = judge(this.log.standing, place);
    if (judgement === 'hold' && this.#held.size < MOST_HELD) this.#held.set(place.position, bytes);
    if (judgement !== 'append') return judgement;
    this.#append(place.position, bytes.toString('utf8'));
    this.#appendHeld();
    return judgement;
  }

  /** A page of the outbox from behind a position, which was that of the log's standing when it was asked for. */
  read(page: OutboxReadReply, after: number): Word {
    const word = heed(this.log.standing, page, after);
    if (word === 'epoch_went_back' || word === 'owner_behind') return word;
    if (word !== 'read') {
      this.#held.clear();
      this.log.beginAt({ epoch: page.epoch, epochStart: page.epoch_start, floor: page.floor, position: page.head });
    }
    this.log.floorIs(page.floor);
    for (const { position, body } of page.rows) if (position === this.#next) this.#append(position, body);
    this.#appendHeld();
    return word;
  }

  get #next(): number {
    return (this.log.standing?.position ?? 0) + 1;
  }

  #append(position: number, body: string): void {
    const event = eventOf({ epoch: this.log.standing?.epoch ?? 0, position }, body);
    if (!event) this.unreadable(position);
    this.#held.delete(position);
    this.log.append(position, event);
  }

  #appendHeld(): void {
    for (let bytes = this.#held.get(this.#next); bytes; bytes = this.#held.get(this.#next))
      this.#append(this.#next, bytes.toString('utf8'));
  }
}
