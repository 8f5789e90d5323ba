import { ProblemError } from '../http/problem-error.js';

export const switchedOff = (): ProblemError =>
  new ProblemError('not_found', 'The billing stream is switched off here (ENABLE_BILLING_STREAM).');
