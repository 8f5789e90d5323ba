import { type SetupStatus } from './setup-intent.js';

export type SetupOperation = 'update' | 'confirm' | 'cancel';

const OPEN: readonly SetupStatus[] = ['requires_payment_method', 'requires_confirmation', 'requires_action'];

/** Which states allow which operation; everywhere else it is refused with `setup_intent_unexpected_state`. Metadata may always change. */
export const ALLOWED_FROM: Readonly<Record<SetupOperation, readonly SetupStatus[]>> = { update: OPEN, confirm: OPEN, cancel: OPEN };

export interface SetupOutcome {
  readonly status: SetupStatus;
  readonly events: readonly `setup_intent.${string}`[];
}

/** What can come of an operation: the state afterwards and the exact events. A customer's method is attached first, with its own event. */
export const OUTCOMES = {
  created: { status: 'requires_payment_method', events: ['setup_intent.created'] },
  created_with_method: { status: 'requires_confirmation', events: ['setup_intent.created'] },
  succeeded: { status: 'succeeded', events: ['setup_intent.succeeded'] },
  failed: { status: 'requires_payment_method', events: ['setup_intent.setup_failed'] },
  action_required: { status: 'requires_action', events: ['setup_intent.requires_action'] },
  canceled: { status: 'canceled', events: ['setup_intent.canceled'] },
} as const satisfies Readonly<Record<string, SetupOutcome>>;

export type SetupOutcomeName = keyof typeof OUTCOMES;
