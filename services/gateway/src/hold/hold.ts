import { within } from '@tidegate/messaging/within';
import type { Endpoint } from '../http/endpoint.js';
import { ProblemError } from '../http/problem-error.js';

/** How old what is known of the hold may be. */
const FRESH_MS = 1_000;
/** A database that does not answer for so long is away: a connection may be dead without anybody having said so. */
const READ_MS = 1_000;
/** And another one is asked on another connection. */
const GIVEN_UP_MS = 5_000;
const RETRY_LATER = { 'retry-after': '30' };

/** Scopes of what moves money or makes something at Stripe. Operators, readers and Stripe itself are not held. */
const HELD = /^(payments|refunds|checkout|customers|subscriptions|usage|receipts):/;

/** Refuses requests while an operator, after a restore, finds out what the record lacks. Every gateway follows within a second. */
export class Hold {
  private known: { held: boolean; readAt: number } | undefined;
  private reading: Reading | undefined;

  constructor(
    private readonly read: () => Promise<boolean>,
    private readonly now: () => number = () => performance.now(),
    private readonly readMs = READ_MS,
  ) {}

  /** Throws a ProblemError with status 503 for a request that is held; nothing was done, and its key is free. */
  async pass({ method, scope }: Pick<Endpoint, 'method' | 'scope'>): Promise<void> {
    if (method !== 'POST' || !HELD.test(scope) || !(await this.isHeld())) return;
    throw new ProblemError(
      'service.on_hold',
      'The database was restored, and what it lacks is being found; nothing was done. Try again later with the same key.',
      { headers: RETRY_LATER },
    );
  }

  /** Forgets what is known, and what is being read, after a change. */
  forget(): void {
    this.known = undefined;
    this.reading = undefined;
  }

  private async isHeld(): Promise<boolean> {
    if (this.known && this.now() < this.known.readAt + FRESH_MS) return this.known.held;
    try {
      return await within(this.readMs, this.look().held, () => new Error(`no answer within ${this.readMs} ms`));
    } catch {
      // A database that is away for a moment has not been restored meanwhile: gateways are started anew after that.
      if (this.known) return this.known.held;
      throw new ProblemError(
        'service.unavailable',
        'Whether requests are held is not known; nothing was done. Try again with the same key.',
        {
          headers: { 'retry-after': '1' },
        },
      );
    }
  }

  /** The look that is under way, for some seconds, or a new one. What it brings counts whenever it comes, unless something newer is known by then. */
  private look(): Reading {
    if (this.reading && this.now() < this.reading.at + GIVEN_UP_MS) return this.reading;
    const reading = { at: this.now(), held: this.read() };
    this.reading = reading;
    const ended = () => {
      if (this.reading === reading) this.reading = undefined;
    };
    reading.held.then((held) => {
      if (this.reading === reading) this.known = { held, readAt: reading.at };
      ended();
    }, ended);
    return reading;
  }
}

/** One look for all who ask meanwhile; what it brings is as old as its beginning. */
interface Reading {
  at: number;
  held: Promise<boolean>;
}
