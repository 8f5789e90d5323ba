import { availableFunds } from '../balance/balance.js';
import { recordMovement } from '../balance-transactions/record.js';
import { type Call, type Cause } from '../http/call.js';
import { invalidParam, noSuch, refused } from '../http/errors.js';
import { checkedCurrency, checkedStep } from '../money/amounts.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type World } from '../world.js';
import { applyOutcome } from './apply.js';
import { planJourney } from './later.js';
import { type Payout } from './payout.js';

/** The account's one bank account. */
export const BANK_ACCOUNT = 'ba_1SimulatedBankAccount';

/** Currencies that are paid out in whole units only (https://docs.stripe.com/currencies#special-cases). */
const WHOLE_PAYOUTS = new Set(['huf', 'twd']);

export interface PayoutRequest {
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  readonly automatic?: boolean;
  readonly description?: string | null | undefined;
  readonly metadata?: Metadata;
  readonly statementDescriptor?: string | null | undefined;
}

/** `POST /v1/payouts`: a manual payout from what is available. */
export function createPayout(world: World, { params, cause }: Call): Payout {
  const currency = checkedCurrency(params['currency'] as string);
  const amount = params['amount'] as number;
  if (amount < 1) throw invalidParam('This value must be greater than or equal to 1.', 'amount', 'parameter_invalid_integer');
  checkedStep(amount, currency, 'amount');
  if (WHOLE_PAYOUTS.has(currency) && amount % 100 !== 0)
    throw invalidParam(`Payouts in ${currency} must be divisible by 100.`, 'amount', 'parameter_invalid_integer');
  const destination = params['destination'] as string | undefined;
  if (destination !== undefined && destination !== BANK_ACCOUNT) throw noSuch('external account', destination, 'destination');
  if (params['method'] === 'instant') throw invalidParam('This simulator does not support instant payouts (Stripe does).', 'method');
  if ((params['source_type'] ?? 'card') !== 'card') throw insufficient();
  return payOut(
    world,
    {
      amount,
      currency,
      description: params['description'] as string | null | undefined,
      metadata: mergeMetadata({}, params['metadata'] as Metadata | null | undefined),
      statementDescriptor: params['statement_descriptor'] as string | null | undefined,
    },
    cause,
  );
}

/** Sends available money to the bank account. Refused with `balance_insufficient` when there is less. */
export function payOut(world: World, request: PayoutRequest, cause: Cause): Payout {
  if (request.amount > availableFunds(world, request.currency)) throw insufficient();
  const draft = newPayout(world, request);
  const movement = recordMovement(world, {
    amount: -draft.amount,
    currency: draft.currency,
    type: 'payout',
    reportingCategory: 'payout',
    source: draft.id,
    description: draft.description ?? 'STRIPE PAYOUT',
    atOnce: true,
  });
  const payout = applyOutcome(world, 'created', { ...draft, balance_transaction: movement.id }, cause);
  planJourney(world, payout);
  return payout;
}

function newPayout(world: World, request: PayoutRequest): Payout {
  const now = world.clock.nowSeconds();
  return {
    id: world.ids.next('po'),
    object: 'payout',
    amount: request.amount,
    application_fee: null,
    application_fee_amount: null,
    arrival_date: now + world.settings.payoutArrivalSeconds,
    automatic: request.automatic ?? false,
    balance_transaction: '',
    created: now,
    currency: request.currency,
    description: request.automatic ? 'STRIPE PAYOUT' : (request.description ?? null),
    destination: BANK_ACCOUNT,
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    livemode: false,
    metadata: request.metadata ?? {},
    method: 'standard',
    original_payout: null,
    payout_method: null,
    reconciliation_status: request.automatic ? 'in_progress' : 'not_applicable',
    reversed_by: null,
    source_type: 'card',
    statement_descriptor: request.statementDescriptor ?? null,
    status: 'pending',
    trace_id: null,
    type: 'bank_account',
  };
}

function insufficient(): Error {
  return refused(INSUFFICIENT, 'balance_insufficient', { param: 'amount' });
}

const INSUFFICIENT =
  'You have insufficient funds in your Stripe account for this transfer. Your card balance is too low. You can use the the /v1/balance endpoint to view your Stripe balance (for more details, see stripe.com/docs/api#balance).';
