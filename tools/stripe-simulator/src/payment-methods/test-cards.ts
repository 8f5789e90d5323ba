/** What happens when a test card is charged. */
export type Behaviour =
  | { readonly kind: 'success'; readonly bypassPending?: true }
  | {
      readonly kind: 'decline';
      readonly code: string;
      readonly declineCode: string;
      readonly message: string;
      readonly blocked?: true;
      readonly attaches?: true;
    }
  | { readonly kind: 'authenticate'; readonly unlessSetUp?: true }
  | {
      readonly kind: 'debit';
      readonly result: 'succeeds' | 'fails' | 'waits';
      readonly failure?: { readonly code: string; readonly message: string };
      readonly slow?: true;
      readonly dispute?: { readonly kind: 'reversal'; readonly reason: string };
    }
  | { readonly kind: 'disputed'; readonly dispute: { readonly kind: 'inquiry' | 'chargeback'; readonly reason: string } }
  | { readonly kind: 'refund_pending' }
  | { readonly kind: 'refund_fails' };

export interface TestCard {
  readonly brand: string;
  readonly funding: 'credit' | 'debit';
  readonly last4: string;
  readonly behaviour: Behaviour;
}

const success: Behaviour = { kind: 'success' };

function card(last4: string, behaviour: Behaviour = success, brand = 'visa', funding: 'credit' | 'debit' = 'credit'): TestCard {
  return { brand, funding, last4, behaviour };
}

function declined(last4: string, declineCode: string, message = 'Your card was declined.', code = 'card_declined'): TestCard {
  return card(last4, { kind: 'decline', code, declineCode, message });
}

const cards: Record<string, TestCard> = {
  pm_card_visa: card('4242'),
  pm_card_visa_debit: card('5556', success, 'visa', 'debit'),
  pm_card_mastercard: card('4444', success, 'mastercard'),
  pm_card_amex: card('8431', success, 'amex'),
  pm_card_discover: card('9424', success, 'discover'),
  pm_card_diners: card('5904', success, 'diners'),
  pm_card_jcb: card('0505', success, 'jcb'),
  pm_card_unionpay: card('0005', success, 'unionpay'),
  pm_card_bypassPending: card('0077', { kind: 'success', bypassPending: true }),
  pm_card_createDispute: card('0259', { kind: 'disputed', dispute: { kind: 'chargeback', reason: 'fraudulent' } }),
  pm_card_createDisputeProductNotReceived: card('2685', {
    kind: 'disputed',
    dispute: { kind: 'chargeback', reason: 'product_not_received' },
  }),
  pm_card_createDisputeInquiry: card('1976', { kind: 'disputed', dispute: { kind: 'inquiry', reason: 'general' } }),
  pm_card_pendingRefund: card('7726', { kind: 'refund_pending' }),
  pm_card_refundFail: card('5126', { kind: 'refund_fails' }),
  pm_card_authenticationRequired: card('3155', { kind: 'authenticate', unlessSetUp: true }),
  pm_card_threeDSecure2Required: card('3220', { kind: 'authenticate' }),
  pm_card_threeDSecureRequired: card('3220', { kind: 'authenticate' }),
  pm_card_chargeDeclined: declined('0002', 'generic_decline'),
  pm_card_chargeDeclinedInsufficientFunds: declined('9995', 'insufficient_funds', 'Your card has insufficient funds.'),
  pm_card_chargeDeclinedLostCard: declined('9987', 'lost_card'),
  pm_card_chargeDeclinedStolenCard: declined('9979', 'stolen_card'),
  pm_card_chargeDeclinedExpiredCard: declined('0069', 'expired_card', 'Your card has expired.', 'expired_card'),
  pm_card_chargeDeclinedIncorrectCvc: declined('0127', 'incorrect_cvc', "Your card's security code is incorrect.", 'incorrect_cvc'),
  pm_card_chargeDeclinedProcessingError: declined(
    '0119',
    'processing_error',
    'An error occurred while processing your card. Try again in a little bit.',
    'processing_error',
  ),
  pm_card_chargeDeclinedVelocityLimitExceeded: declined('6975', 'card_velocity_exceeded'),
  pm_card_chargeCustomerFail: card('0341', {
    kind: 'decline',
    code: 'card_declined',
    declineCode: 'generic_decline',
    message: 'Your card was declined.',
    attaches: true,
  }),
  pm_card_radarBlock: card('0019', {
    kind: 'decline',
    code: 'card_declined',
    declineCode: 'fraudulent',
    message: 'Your card was declined.',
    blocked: true,
  }),
  pm_card_riskLevelHighest: card('0019', {
    kind: 'decline',
    code: 'card_declined',
    declineCode: 'fraudulent',
    message: 'Your card was declined.',
    blocked: true,
  }),
};
for (const [id, found] of Object.entries(cards)) {
  if (id.startsWith('pm_card_chargeDeclined')) cards[id.replace('pm_card_', 'pm_card_visa_')] = found;
}

/** Stripe's test payment methods by id. */
export const TEST_CARDS: Readonly<Record<string, TestCard>> = cards;

/** The test card of a `pm_card_…` id or a `tok_…` token, if there is one. */
export function testCard(id: string): TestCard | undefined {
  const name = id.startsWith('tok_') ? id.replace('tok_', 'pm_card_') : id;
  return Object.hasOwn(cards, name) ? cards[name] : undefined;
}
