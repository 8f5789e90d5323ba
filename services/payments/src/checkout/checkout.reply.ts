import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { type Kysely } from 'kysely';
import { requestIdOf } from '../idempotency/idempotency.store.js';
import { rejectionReply } from '../payment/payment.reply.js';
import { type PaymentsTables } from '../tables.js';
import { type CheckoutEvent } from './checkout.events.js';
import { type Checkout } from './checkout.state.js';
import { viewOf } from './checkout.view.js';

/** The answer to a command on a checkout, from its state. */
export const checkoutReply = (commandId: string, checkout: Checkout): HttpReply =>
  jsonReply(commandId.startsWith('cmd_checkout_create_') ? 201 : 200, viewOf(checkout));

/** The answers of the commands that these events made certain, rendered once; they are stored with the events. */
export async function answersOf(
  db: Kysely<PaymentsTables>,
  checkout: Checkout,
  events: readonly CheckoutEvent[],
): Promise<Map<string, HttpReply>> {
  const replies = new Map<string, HttpReply>();
  for (const event of events) {
    if (event.type !== 'CommandCompleted') continue;
    const { command_id, rejection } = event.data;
    const reply = rejection ? rejectionReply(rejection, await requestIdOf(db, command_id)) : checkoutReply(command_id, checkout);
    replies.set(command_id, reply);
  }
  return replies;
}
