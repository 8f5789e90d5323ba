import { type Charge } from '../charges/charge.js';
import { type Cause } from '../http/call.js';
import { invalidParam, refused } from '../http/errors.js';
import { type Verdict, decide } from '../disputes/decide.js';
import { type Dispute, isInquiry, isOpen } from '../disputes/dispute.js';
import { disputeById, mustAllow } from '../disputes/find.js';
import { openDispute } from '../disputes/open.js';
import { disputeView } from '../disputes/view.js';
import { type World } from '../world.js';
import { type Body, chargeOf, choice, text, wholeAmount } from './body.js';

/** `{payment_intent | charge, amount?, reason?, kind?: chargeback | inquiry}`: the bank disputes a payment. */
export function disputeAction(world: World, body: Body, cause: Cause): Dispute {
  const charge = chargeOf(world, body);
  const kind = choice(body, 'kind', ['chargeback', 'inquiry'] as const) ?? 'chargeback';
  const amount = wholeAmount(body['amount']);
  mustBeDisputable(world, charge, amount);
  const reason = body['reason'] === undefined ? 'fraudulent' : text(body, 'reason');
  return disputeView(world, openDispute(world, charge, { kind, reason, ...(amount !== undefined && { amount }) }, byTheBank(cause)));
}

/** `{dispute | payment_intent | charge, outcome?: lost | won | warning_closed | escalated}`: the bank decides. */
export function closeDisputeAction(world: World, body: Body, cause: Cause): Dispute {
  const dispute =
    body['dispute'] === undefined ? disputeOf(world, chargeOf(world, body)) : disputeById(world, text(body, 'dispute'), 'dispute');
  mustAllow('decide', dispute);
  const asked = choice(body, 'outcome', ['lost', 'won', 'warning_closed', 'escalated'] as const);
  const outcome = asked ?? (isInquiry(dispute) ? 'warning_closed' : 'lost');
  if (isInquiry(dispute) !== (outcome === 'warning_closed' || outcome === 'escalated'))
    throw refused(`A dispute in ${dispute.status} can't become ${outcome}.`, undefined, { param: 'outcome' });
  const verdict: Verdict = outcome === 'warning_closed' ? 'closed' : outcome;
  return disputeView(world, decide(world, dispute, verdict, byTheBank(cause)));
}

/** Banks make no API requests. */
function byTheBank(cause: Cause): Cause {
  return { ...cause, requestId: null };
}

function mustBeDisputable(world: World, charge: Charge, amount: number | undefined): void {
  if (!charge.captured || charge.status !== 'succeeded')
    throw refused(`Charge ${charge.id} took no money, so it can't be disputed.`, undefined);
  if (world.disputes.by('charge', charge.id).some(isOpen)) throw refused(`Charge ${charge.id} is disputed already.`, undefined);
  if (amount !== undefined && amount > charge.amount_captured)
    throw invalidParam(`The disputed amount must be at most ${charge.amount_captured}.`, 'amount');
}

function disputeOf(world: World, charge: Charge): Dispute {
  const found = world.disputes.by('charge', charge.id).at(-1);
  if (found === undefined) throw refused(`Charge ${charge.id} is not disputed.`, undefined);
  return found;
}
