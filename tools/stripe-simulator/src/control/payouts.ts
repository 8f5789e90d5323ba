import { type Cause } from '../http/call.js';
import { checkedCurrency } from '../money/amounts.js';
import { payOutAutomatically } from '../payouts/automatic.js';
import { payOut } from '../payouts/create.js';
import { mustAllow, payoutById } from '../payouts/find.js';
import { FAILURES, arrive, fail } from '../payouts/later.js';
import { type Payout } from '../payouts/payout.js';
import { type World } from '../world.js';
import { type Body, choice, text, wholeAmount } from './body.js';

type FailureCode = keyof typeof FAILURES;

/**
 * `{currency?, amount?, outcome?: paid | failed, failure_code?}` pays out: everything available, as Stripe does by itself, or with
 * `amount` a part, as a manual payout. `{payout, outcome}` hurries one that is under way.
 */
export function payoutAction(world: World, body: Body, cause: Cause): Payout {
  const outcome = choice(body, 'outcome', ['paid', 'failed'] as const);
  const code = choice(body, 'failure_code', Object.keys(FAILURES) as FailureCode[]);
  const payout = body['payout'] === undefined ? newPayout(world, body, cause) : payoutById(world, text(body, 'payout'), 'payout');
  if (outcome === 'paid') {
    mustAllow('arrive', payout);
    arrive(world, payout.id, { ...cause, requestId: null });
  }
  if (outcome === 'failed') {
    mustAllow('fail', payout);
    fail(world, payout.id, { ...cause, requestId: null }, code);
  }
  return payoutById(world, payout.id);
}

function newPayout(world: World, body: Body, cause: Cause): Payout {
  const currency = checkedCurrency(body['currency'] === undefined ? 'usd' : text(body, 'currency'));
  const amount = wholeAmount(body['amount']);
  return amount === undefined
    ? payOutAutomatically(world, currency, { ...cause, requestId: null })
    : payOut(world, { amount, currency }, cause);
}
