import { AUTOMATIC } from '../http/call.js';
import { type Answer } from '../http/answer.js';
import { formatAmount } from '../money/currencies.js';
import { completeAuthentication } from '../payment-intents/authentication.js';
import { completeSetup } from '../setup-intents/confirm.js';
import { type World } from '../world.js';
import { html } from './html.js';

interface Waiting {
  readonly kind: 'payment_intent' | 'setup_intent';
  readonly what: string;
  readonly clientSecret: string;
  readonly nextAction: object | null;
  /** Gives the status afterwards. */
  readonly finish: (outcome: 'passed' | 'failed') => string;
}

/** The bank's authentication step of an intent in `requires_action`; afterwards the customer is sent back. */
export function authenticationPage(world: World, id: string, outcome: string | null): Answer | undefined {
  const waiting = waitingPayment(world, id) ?? waitingSetup(world, id);
  if (waiting === undefined) return undefined;
  if (outcome === null)
    return html(
      `<h1>Authenticate ${waiting.what}</h1><p><a href="?outcome=succeed">Complete</a></p><p><a href="?outcome=fail">Fail</a></p>`,
    );
  const result = outcome === 'fail' ? 'failed' : 'passed';
  const back = (waiting.nextAction as { redirect_to_url?: { return_url: string } }).redirect_to_url?.return_url;
  const status = waiting.finish(result);
  if (back === undefined) return html(`<h1>${status}</h1>`);
  const target = new URL(back);
  target.searchParams.set(waiting.kind, id);
  target.searchParams.set(`${waiting.kind}_client_secret`, waiting.clientSecret);
  target.searchParams.set('redirect_status', result === 'passed' ? 'succeeded' : 'failed');
  return { status: 303, headers: { Location: target.href }, body: '' };
}

function waitingPayment(world: World, id: string): Waiting | undefined {
  const intent = world.paymentIntents.get(id);
  if (intent?.status !== 'requires_action') return undefined;
  return {
    kind: 'payment_intent',
    what: formatAmount(intent.amount, intent.currency),
    clientSecret: intent.client_secret,
    nextAction: intent.next_action,
    finish: (outcome) => completeAuthentication(world, intent, outcome === 'passed', AUTOMATIC).status,
  };
}

function waitingSetup(world: World, id: string): Waiting | undefined {
  const intent = world.setupIntents.get(id);
  if (intent?.status !== 'requires_action') return undefined;
  return {
    kind: 'setup_intent',
    what: 'a card for later payments',
    clientSecret: intent.client_secret,
    nextAction: intent.next_action,
    finish: (outcome) => completeSetup(world, intent, outcome, AUTOMATIC).status,
  };
}
