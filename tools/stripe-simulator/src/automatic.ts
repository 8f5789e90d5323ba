import { SETTLE_CHARGE, SETTLE_SILENTLY, settleNow } from './charges/settle.js';
import { DECIDE_DISPUTE, DISPUTE_DUE, missDeadline, readEvidence } from './disputes/later.js';
import { OPEN_DISPUTE, OPEN_LATE_DISPUTE, openLateDispute, openPlannedDispute } from './disputes/plan.js';
import { EXPIRE_SESSION, expireDue } from './checkout/expiry.js';
import { followIntent as followSessionIntent } from './checkout/follow.js';
import { followSetup } from './checkout/set-up.js';
import { followFirstInvoice } from './checkout/subscribe.js';
import { finalizeDue, retryDue } from './invoices/automatic.js';
import { FINALIZE_INVOICE } from './invoices/draft.js';
import { RETRY_INVOICE } from './invoices/fail.js';
import { followIntent as followInvoiceIntent } from './invoices/follow.js';
import { expireAuthorization } from './payment-intents/cancel.js';
import { EXPIRE_AUTHORIZATION } from './payment-intents/charge-intent.js';
import { FAIL_DEBIT, FINISH_DEBIT, failDebit, finishDebit } from './payment-intents/debit.js';
import { AUTOMATIC } from './http/call.js';
import { FAIL_PAYOUT, PAYOUT_ARRIVES, SEND_PAYOUT, arrive, fail, send } from './payouts/later.js';
import { FAIL_REFUND, SUCCEED_REFUND, failRefund, succeedRefund } from './refunds/later.js';
import { subscriptionDue, trialWillEnd } from './subscriptions/due.js';
import { followInvoice } from './subscriptions/follow.js';
import { SUBSCRIPTION_DUE, TRIAL_WILL_END } from './subscriptions/schedule.js';
import { type World } from './world.js';

/** Everything that Stripe does by itself as the virtual clock moves. */
export function startAutomaticActions(world: World): void {
  world.intentChanges.on((intent, cause) => followSessionIntent(world, intent, cause));
  world.intentChanges.on((intent, cause) => followInvoiceIntent(world, intent, cause));
  world.setupChanges.on((intent, cause) => followSetup(world, intent, cause));
  world.scheduler.on(FINALIZE_INVOICE, (id) => finalizeDue(world, id));
  world.invoiceChanges.on((change, cause) => followInvoice(world, change, cause));
  world.invoiceChanges.on((change, cause) => followFirstInvoice(world, change, cause));
  world.scheduler.on(SUBSCRIPTION_DUE, (id) => subscriptionDue(world, id));
  world.scheduler.on(TRIAL_WILL_END, (id) => trialWillEnd(world, id));
  world.scheduler.on(RETRY_INVOICE, (id) => retryDue(world, id));
  world.scheduler.on(EXPIRE_SESSION, (id) => expireDue(world, id));
  world.scheduler.on(SETTLE_CHARGE, (id) => settleNow(world, id));
  world.scheduler.on(SETTLE_SILENTLY, (id) => settleNow(world, id, { ...AUTOMATIC, silent: true }));
  world.scheduler.on(SUCCEED_REFUND, (id) => succeedRefund(world, id));
  world.scheduler.on(FAIL_REFUND, (id) => failRefund(world, id));
  world.scheduler.on(OPEN_DISPUTE, (id) => openPlannedDispute(world, id));
  world.scheduler.on(OPEN_LATE_DISPUTE, (id) => openLateDispute(world, id));
  world.scheduler.on(DISPUTE_DUE, (id) => missDeadline(world, id));
  world.scheduler.on(DECIDE_DISPUTE, (id) => readEvidence(world, id));
  world.scheduler.on(SEND_PAYOUT, (id) => send(world, id));
  world.scheduler.on(PAYOUT_ARRIVES, (id) => arrive(world, id));
  world.scheduler.on(FAIL_PAYOUT, (id) => fail(world, id));
  world.scheduler.on(FINISH_DEBIT, (id) => finishDebit(world, id));
  world.scheduler.on(FAIL_DEBIT, (id) => failDebit(world, id));
  world.scheduler.on(EXPIRE_AUTHORIZATION, (id) => expireAuthorization(world, id));
}
