import { type Cause } from '../http/call.js';
import { type Stored } from '../store/collection.js';
import { type PaymentIntent } from './payment-intent.js';

/** Which Checkout Session or invoice made an intent (by the intent's id). */
export interface IntentOwner extends Stored {
  readonly session?: string;
  readonly invoice?: string;
}

/** Tells those who made an intent (a Checkout Session, an invoice) of each of its transitions, after its own events. */
export class IntentChanges<Intent = PaymentIntent> {
  private readonly followers: ((intent: Intent, cause: Cause) => void)[] = [];

  /** The follower must not throw. */
  on(follower: (intent: Intent, cause: Cause) => void): void {
    this.followers.push(follower);
  }

  tell(intent: Intent, cause: Cause): void {
    for (const follow of this.followers) follow(intent, cause);
  }
}
