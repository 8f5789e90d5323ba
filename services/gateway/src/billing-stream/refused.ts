import { ProblemError } from '../http/problem-error.js';

export const switchedOff = (): ProblemError =>
  new ProblemError('not_found', 'The billing stream is switched off here (ENABLE_BILLING_STREAM).');

/** Why a client cannot be let in now. */
export type Refusal = 'stopping' | 'not_ready' | 'full';

const DETAILS: Readonly<Record<Refusal, string>> = {
  stopping: 'This process is stopping. Try again.',
  not_ready: 'This process does not know yet how far payments is. Try again.',
  full: 'This process has as many connections to the billing stream as it may. Try again.',
};

export const refused = (refusal: Refusal): ProblemError =>
  new ProblemError('service.unavailable', DETAILS[refusal], { headers: { 'retry-after': '2' } });
