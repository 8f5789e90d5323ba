import { mustExistCustomer } from '../customers/find.js';
import { mustBeMailAddress } from '../customers/mail-address.js';
import { type Call } from '../http/call.js';
import { checkedAmount, checkedCurrency } from '../money/amounts.js';
import { mustBeAllowed } from '../payment-methods/allowed-types.js';
import { usablePaymentMethod } from '../payment-methods/use.js';
import { shownAs } from '../schema/complete.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type World } from '../world.js';
import { intentById, mustAllow } from './find.js';
import { type PaymentIntent } from './payment-intent.js';
import { withTypes } from './with-types.js';

/** Parameters that decide about the money: only before it is taken. The others may change at any time. */
const BEFORE_PAYMENT = ['amount', 'currency', 'customer', 'payment_method', 'capture_method', 'setup_future_usage'];
const PLAIN = [
  'description',
  'receipt_email',
  'shipping',
  'statement_descriptor',
  'statement_descriptor_suffix',
  'transfer_group',
  'capture_method',
  'setup_future_usage',
];

/** `POST /v1/payment_intents/{id}`. Clears `last_payment_error`. There is no event for it. */
export function updateIntent(world: World, { id, params }: Call): PaymentIntent {
  const intent = intentById(world, id);
  if (BEFORE_PAYMENT.some((name) => params[name] !== undefined)) mustAllow('update_amount', intent);
  const currency = params['currency'] === undefined ? intent.currency : checkedCurrency(params['currency'] as string);
  const amount = checkedAmount((params['amount'] as number | undefined) ?? intent.amount, currency);
  const customer = (params['customer'] as string | undefined) ?? intent.customer;
  if (params['customer'] !== undefined) mustExistCustomer(world, customer ?? '');
  const metadata = mergeMetadata(intent.metadata, params['metadata'] as Metadata | null | undefined);
  mustBeMailAddress(params, 'receipt_email');
  const plain = Object.fromEntries(
    PLAIN.filter((name) => params[name] !== undefined).map((name) => [
      name,
      name === 'shipping' ? shownAs('payment_intent', name, params[name]) : params[name],
    ]),
  );
  const changed = withTypes({
    ...intent,
    ...plain,
    amount,
    currency,
    customer,
    metadata,
    last_payment_error: null,
    ...afresh(intent, amount, currency),
  });
  return world.paymentIntents.replace({ ...changed, ...newMethod(world, changed, params['payment_method'] as string | undefined) });
}

/** Who authenticates does so for an amount: with another one an authentication that is under way is dropped. */
function afresh({ status, ...intent }: PaymentIntent, amount: number, currency: string): Partial<PaymentIntent> {
  if (status !== 'requires_action' || (intent.amount === amount && intent.currency === currency)) return {};
  return { status: 'requires_confirmation', next_action: null };
}

function newMethod(world: World, intent: PaymentIntent, id: string | undefined): Partial<PaymentIntent> {
  if (id === undefined) return {};
  const method = usablePaymentMethod(world, id, intent.customer ?? undefined);
  mustBeAllowed(method, intent.payment_method_types, 'PaymentIntent');
  return { payment_method: method.id, status: 'requires_confirmation', next_action: null };
}
