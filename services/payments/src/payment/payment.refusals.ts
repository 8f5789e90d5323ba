import { type ProblemCode } from '@tidegate/contracts/problem';

/** An expected "no": a stable code with a sentence for people. */
export interface Refusal {
  code: Extract<ProblemCode, 'payments.illegal_state' | 'payments.capture_exceeds_authorized' | 'payments.refund_exceeds_captured'>;
  detail: string;
}

export const illegalState = (verb: string, status: string): Refusal => ({
  code: 'payments.illegal_state',
  detail: `A payment that is ${status} cannot be ${verb}.`,
});

export const confirmedOnItsPage: Refusal = {
  code: 'payments.illegal_state',
  detail: 'The payment of a checkout is confirmed by the payer, on the page of that checkout.',
};

export const captureExceedsAuthorized = (asked: number, authorized: number): Refusal => ({
  code: 'payments.capture_exceeds_authorized',
  detail: `${asked} was asked for, ${authorized} is authorized (minor units).`,
});

export const refundExceedsCaptured = (asked: number, left: number): Refusal => ({
  code: 'payments.refund_exceeds_captured',
  detail: `${asked} was asked for, ${left} is left of the captured amount (minor units); refunds whose outcome is open count.`,
});

export const tooManyRefunds = (most: number): Refusal => ({
  code: 'payments.illegal_state',
  detail: `A payment that has ${most} refunds takes no more.`,
});
