import { type Rejection } from '../payment/payment.events.js';
import { type CheckoutCommand } from './checkout.commands.js';
import { type CheckoutEvent } from './checkout.events.js';
import { illegalState } from './checkout.refusals.js';
import { type CheckoutState, statusOf } from './checkout.state.js';
import { expiresAtFor } from './window.decide.js';

/** `busy`: another call about this checkout has no certain outcome yet; ask again later, nothing was decided. */
export type Decision = { kind: 'accepted'; events: CheckoutEvent[] } | { kind: 'refused'; rejection: Rejection } | { kind: 'busy' };

/** Whether a command may be carried out, and the facts that follow at once. The call to Stripe is committed to in the same breath. */
export function decide(state: CheckoutState, command: CheckoutCommand, now: Date): Decision {
  if (command.type === 'OpenCheckout') return open(state, command, now);
  if (state.kind === 'none') throw new Error('Bug: a command to a checkout that does not exist');
  const { lifecycle } = state;
  if (lifecycle.status === 'opening' || lifecycle.status === 'closing' || state.pending !== null) return { kind: 'busy' };
  switch (command.type) {
    case 'ExpireCheckout':
      // Written down, because what was answered is found by its command when the customer is erased.
      if (lifecycle.status === 'expired') return accept(completed(command.command_id));
      if (lifecycle.status !== 'open') return { kind: 'refused', rejection: illegalState('expired', statusOf(state)) };
      return closing(command.command_id, lifecycle.stripe_session, 'requested', null);
    case 'ExtendWindow':
      return extend(command, lifecycle, now);
    case 'ResolveLateSuccess': {
      const held = lifecycle.status === 'complete' && lifecycle.late === 'held';
      if (!held) return { kind: 'refused', rejection: { code: 'payments.illegal_state', detail: 'No late success is held here.' } };
      const { command_id, action } = command;
      return accept({ type: 'LateSuccessDecided', data: { action } }, completed(command_id));
    }
    default:
      return command satisfies never;
  }
}

type Of<T extends CheckoutCommand['type']> = Extract<CheckoutCommand, { type: T }>;

function open(state: CheckoutState, { terms, command_id, window_ends_at }: Of<'OpenCheckout'>, now: Date): Decision {
  if (state.kind !== 'none') throw new Error('Bug: this checkout exists already');
  const expires_at = expiresAtFor(window_ends_at, now);
  return accept({ type: 'CheckoutAccepted', data: { terms, command_id, window_ends_at, expires_at } });
}

/** A fresh page only after the one before is known expired: two that can be paid would be two charges. */
function extend(
  { command_id, until }: Of<'ExtendWindow'>,
  lifecycle: { status: string; stripe_session?: string | null },
  now: Date,
): Decision {
  if (lifecycle.status === 'open') return closing(command_id, lifecycle.stripe_session as string, 'extension', until);
  if (lifecycle.status !== 'expired') return { kind: 'refused', rejection: illegalState('extended', lifecycle.status) };
  return accept(
    { type: 'CommandAccepted', data: { command_id } },
    { type: 'WindowExtended', data: { command_id, until, expires_at: expiresAtFor(until, now) } },
  );
}

const closing = (command_id: string, stripe_session: string, cause: 'requested' | 'extension', until: string | null): Decision =>
  accept(
    { type: 'CommandAccepted', data: { command_id } },
    { type: 'ExpirySubmitted', data: { command_id, n: 1, stripe_session, cause, until } },
  );

const completed = (command_id: string): CheckoutEvent => ({ type: 'CommandCompleted', data: { command_id, rejection: null } });

const accept = (...events: CheckoutEvent[]): Decision => ({ kind: 'accepted', events });
