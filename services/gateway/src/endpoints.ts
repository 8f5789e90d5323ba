import { createApiKey } from './api-key/create-api-key.endpoint.js';
import { listApiKeys } from './api-key/list-api-keys.endpoint.js';
import { revokeApiKey } from './api-key/revoke-api-key.endpoint.js';
import { rotateApiKey } from './api-key/rotate-api-key.endpoint.js';
import { createStreamToken } from './billing-stream/create-stream-token.endpoint.js';
import { followBillingStream } from './billing-stream/follow-billing-stream.endpoint.js';
import { closeBreaker } from './breakers/close-breaker.endpoint.js';
import { isolateBreaker } from './breakers/isolate-breaker.endpoint.js';
import { listBreakers } from './breakers/list-breakers.endpoint.js';
import { resetBreaker } from './breakers/reset-breaker.endpoint.js';
import type { Endpoint } from './http/endpoint.js';
import { checkStripe } from './ops/check-stripe.endpoint.js';
import { createCheckout } from './checkout/create-checkout.endpoint.js';
import { listCheckouts } from './checkout/list-checkouts.endpoint.js';
import { getCheckout } from './checkout/get-checkout.endpoint.js';
import { expireCheckout } from './checkout/expire-checkout.endpoint.js';
import { overrideCheckoutWindow } from './checkout/override-window.endpoint.js';
import { resolveLateSuccess } from './checkout/resolve-late-success.endpoint.js';
import { reconcileWindows } from './checkout/reconcile-windows.endpoint.js';
import { createCustomer } from './customers/create-customer.endpoint.js';
import { listCustomers } from './customers/list-customers.endpoint.js';
import { getCustomer } from './customers/get-customer.endpoint.js';
import { eraseCustomer } from './customers/erase-customer.endpoint.js';
import { deadLetterRetries } from './ops/dead-letter-retries.endpoint.js';
import { getOutboxStatus } from './ops/get-outbox-status.endpoint.js';
import { getOperatorCheckout } from './ops/get-operator-checkout.endpoint.js';
import { getOperatorPayment } from './ops/get-operator-payment.endpoint.js';
import { getPaymentStats } from './ops/get-payment-stats.endpoint.js';
import { listOperatorCheckouts } from './ops/list-operator-checkouts.endpoint.js';
import { listOperatorPayments } from './ops/list-operator-payments.endpoint.js';
import { overrideOperatorWindow } from './ops/override-operator-window.endpoint.js';
import { resolveOperatorLateSuccess } from './ops/resolve-operator-late-success.endpoint.js';
import { resolvePayment } from './ops/resolve-payment.endpoint.js';
import { getStripeSetup } from './ops/get-stripe-setup.endpoint.js';
import { repairStripeSetup } from './ops/repair-stripe-setup.endpoint.js';
import { getSecretFingerprints } from './ops/get-secret-fingerprints.endpoint.js';
import { createEventReplay } from './ops/create-event-replay.endpoint.js';
import { getEventReplay } from './ops/get-event-replay.endpoint.js';
import { listEventReplays } from './ops/list-event-replays.endpoint.js';
import { stopEventReplay } from './ops/stop-event-replay.endpoint.js';
import { swapEventReplay } from './ops/swap-event-replay.endpoint.js';
import { discardDeadLetters } from './ops/discard-dead-letters.endpoint.js';
import { getDeadLetter } from './ops/get-dead-letter.endpoint.js';
import { listDeadLetters } from './ops/list-dead-letters.endpoint.js';
import { replayDeadLetters } from './ops/replay-dead-letters.endpoint.js';
import { listRetries } from './ops/list-retries.endpoint.js';
import { giveUpSubscriptionCommand, listSubscriptionCommands, resolveSubscriptionCommand } from './ops/subscription-commands.endpoints.js';
import { cancelPayment } from './payments/cancel-payment.endpoint.js';
import { capturePayment } from './payments/capture-payment.endpoint.js';
import { confirmPayment } from './payments/confirm-payment.endpoint.js';
import { createPayment } from './payments/create-payment.endpoint.js';
import { getPayment } from './payments/get-payment.endpoint.js';
import { getPaymentReceipt } from './payments/get-payment-receipt.endpoint.js';
import { listPaymentEvents } from './payments/list-payment-events.endpoint.js';
import { listPayments } from './payments/list-payments.endpoint.js';
import { refundPayment } from './payments/refund-payment.endpoint.js';
import { getOperatorReceipt } from './receipts/get-operator-receipt.endpoint.js';
import { listOperatorReceipts } from './receipts/list-operator-receipts.endpoint.js';
import { regenerateOperatorReceipt } from './receipts/regenerate-operator-receipt.endpoint.js';
import { regenerateReceipt } from './receipts/regenerate-receipt.endpoint.js';
import { resendOperatorReceipt } from './receipts/resend-operator-receipt.endpoint.js';
import { resendReceipt } from './receipts/resend-receipt.endpoint.js';
import { verifyOperatorReceipts } from './receipts/verify-operator-receipts.endpoint.js';
import { getReceipt } from './receipts/get-receipt.endpoint.js';
import { getReceiptPdf } from './receipts/get-receipt-pdf.endpoint.js';
import { listReceipts } from './receipts/list-receipts.endpoint.js';
import { createRun } from './reconciliation/create-run.endpoint.js';
import { getRun } from './reconciliation/get-run.endpoint.js';
import { listDiscrepanciesCsv } from './reconciliation/list-discrepancies-csv.endpoint.js';
import { listDiscrepancies } from './reconciliation/list-discrepancies.endpoint.js';
import { listLedgerBalances } from './reconciliation/list-ledger-balances.endpoint.js';
import { listRuns } from './reconciliation/list-runs.endpoint.js';
import { checkUsage } from './usage/check-usage.endpoint.js';
import { getUsage } from './usage/get-usage.endpoint.js';
import { listUsageLimits } from './usage/list-usage-limits.endpoint.js';
import { recordUsage } from './usage/record-usage.endpoint.js';
import { setUsageLimit } from './usage/set-usage-limit.endpoint.js';
import { listMissingCounters } from './ops/list-missing-counters.endpoint.js';
import { listStaleCounters } from './ops/list-stale-counters.endpoint.js';
import { repairUsage } from './ops/repair-usage.endpoint.js';
import { brandTenant } from './tenant/brand-tenant.endpoint.js';
import { createTenant } from './tenant/create-tenant.endpoint.js';
import { listTenants } from './tenant/list-tenants.endpoint.js';
import { getWebhookEvent } from './webhook-events/get-webhook-event.endpoint.js';
import { listWebhookEvents } from './webhook-events/list-webhook-events.endpoint.js';
import { replayWebhookEvents } from './webhook-events/replay-webhook-events.endpoint.js';
import { getWebhookReplay } from './webhook-events/get-webhook-replay.endpoint.js';
import { listOperatorEvents } from './ops/list-operator-events.endpoint.js';
import { getOperatorEvent } from './ops/get-operator-event.endpoint.js';
import { replayOperatorEvents } from './ops/replay-operator-events.endpoint.js';
import { listWebhookReplays } from './ops/list-webhook-replays.endpoint.js';
import { getOperatorReplay } from './ops/get-operator-replay.endpoint.js';
import { stopWebhookReplay } from './ops/stop-webhook-replay.endpoint.js';
import { resumeWebhookReplay } from './ops/resume-webhook-replay.endpoint.js';
import { getWebhookSweep } from './ops/get-webhook-sweep.endpoint.js';
import { getHold, placeHold, releaseHold } from './hold/hold.endpoints.js';
import { getReconciliationStatus } from './ops/get-reconciliation-status.endpoint.js';
import {
  createRunOfEveryTenant,
  getRunOfEveryTenant,
  listDiscrepanciesOfEveryTenant,
  listRunsOfEveryTenant,
} from './ops/runs-of-every-tenant.endpoints.js';
import { getWebhookSweeps } from './ops/get-webhook-sweeps.endpoint.js';
import { listWebhookEndpoints } from './ops/list-webhook-endpoints.endpoint.js';
import { orderWebhookSweep } from './ops/order-webhook-sweep.endpoint.js';
import { cancelSubscription } from './subscriptions/cancel-subscription.endpoint.js';
import { changeSubscription } from './subscriptions/change-subscription.endpoint.js';
import { createSubscription } from './subscriptions/create-subscription.endpoint.js';
import { getInvoice } from './subscriptions/get-invoice.endpoint.js';
import { getSubscription } from './subscriptions/get-subscription.endpoint.js';
import { listInvoices } from './subscriptions/list-invoices.endpoint.js';
import { listSubscriptions } from './subscriptions/list-subscriptions.endpoint.js';

/** Every route of the REST face, in the order of the documentation. */
export const ENDPOINTS: readonly Endpoint[] = [
  createPayment,
  listPayments,
  getPayment,
  listPaymentEvents,
  getPaymentReceipt,
  confirmPayment,
  capturePayment,
  cancelPayment,
  refundPayment,
  createCheckout,
  listCheckouts,
  getCheckout,
  expireCheckout,
  overrideCheckoutWindow,
  resolveLateSuccess,
  createCustomer,
  listCustomers,
  getCustomer,
  eraseCustomer,
  createSubscription,
  listSubscriptions,
  getSubscription,
  changeSubscription,
  cancelSubscription,
  listInvoices,
  getInvoice,
  recordUsage,
  getUsage,
  checkUsage,
  setUsageLimit,
  listUsageLimits,
  listReceipts,
  getReceipt,
  getReceiptPdf,
  getOperatorReceipt,
  listOperatorReceipts,
  regenerateOperatorReceipt,
  regenerateReceipt,
  resendOperatorReceipt,
  resendReceipt,
  verifyOperatorReceipts,
  createRun,
  listRuns,
  listLedgerBalances,
  getRun,
  listDiscrepancies,
  listDiscrepanciesCsv,
  listWebhookEvents,
  getWebhookEvent,
  replayWebhookEvents,
  getWebhookReplay,
  followBillingStream,
  createStreamToken,
  listRetries,
  deadLetterRetries,
  listSubscriptionCommands,
  resolveSubscriptionCommand,
  giveUpSubscriptionCommand,
  reconcileWindows,
  createTenant,
  brandTenant,
  listTenants,
  createApiKey,
  listApiKeys,
  rotateApiKey,
  revokeApiKey,
  listBreakers,
  resetBreaker,
  isolateBreaker,
  closeBreaker,
  getOutboxStatus,
  getSecretFingerprints,
  checkStripe,
  listOperatorPayments,
  getOperatorPayment,
  getPaymentStats,
  resolvePayment,
  listOperatorCheckouts,
  getOperatorCheckout,
  overrideOperatorWindow,
  resolveOperatorLateSuccess,
  listMissingCounters,
  listStaleCounters,
  repairUsage,
  listDeadLetters,
  getDeadLetter,
  replayDeadLetters,
  discardDeadLetters,
  createEventReplay,
  listEventReplays,
  getEventReplay,
  swapEventReplay,
  stopEventReplay,
  getStripeSetup,
  repairStripeSetup,
  listOperatorEvents,
  getOperatorEvent,
  replayOperatorEvents,
  listWebhookReplays,
  getOperatorReplay,
  stopWebhookReplay,
  resumeWebhookReplay,
  getHold,
  placeHold,
  releaseHold,
  getReconciliationStatus,
  createRunOfEveryTenant,
  getRunOfEveryTenant,
  listRunsOfEveryTenant,
  listDiscrepanciesOfEveryTenant,
  getWebhookSweeps,
  orderWebhookSweep,
  getWebhookSweep,
  listWebhookEndpoints,
];
