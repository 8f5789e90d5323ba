import { z } from 'zod';
import { type Owner } from '../subjects.js';

/**
 * Request/reply between gateway and services, core NATS, queue group = the owning service. The request is one JSON object
 * `RouteRequest`, the answer an `HttpReply`. Headers: `traceparent`, `Tidegate-Deadline` (epoch ms; an expired request is dropped).
 */
export const RouteRequest = z.object({
  tenant: z.string(),
  actor: z.string(),
  request_id: z.string(),
  correlation_id: z.string(),
  /** Method and path with ids filled in; part of the idempotency scope. */
  route: z.string(),
  params: z.record(z.string(), z.string()),
  query: z.record(z.string(), z.string()),
  idempotency_key: z.string().nullable(),
  respond_async: z.boolean(),
  livemode: z.boolean(),
  body: z.unknown(),
});
export type RouteRequest = z.infer<typeof RouteRequest>;

export const RPC = {
  paymentCreate: 'payments.rpc.payment.create.v1',
  paymentConfirm: 'payments.rpc.payment.confirm.v1',
  paymentCapture: 'payments.rpc.payment.capture.v1',
  paymentCancel: 'payments.rpc.payment.cancel.v1',
  paymentRefund: 'payments.rpc.payment.refund.v1',
  paymentGet: 'payments.rpc.payment.get.v1',
  paymentList: 'payments.rpc.payment.list.v1',
  paymentEvents: 'payments.rpc.payment.events.v1',
  paymentRepair: 'payments.rpc.payment.repair.v1',
  retryList: 'payments.rpc.retry.list.v1',
  retryDeadLetter: 'payments.rpc.retry.dead_letter.v1',
  breakerList: 'payments.rpc.breaker.list.v1',
  breakerReset: 'payments.rpc.breaker.reset.v1',
  breakerIsolate: 'payments.rpc.breaker.isolate.v1',
  breakerClose: 'payments.rpc.breaker.close.v1',
  customerCreate: 'payments.rpc.customer.create.v1',
  customerGet: 'payments.rpc.customer.get.v1',
  customerList: 'payments.rpc.customer.list.v1',
  customerErase: 'payments.rpc.customer.erase.v1',
  checkoutCreate: 'payments.rpc.checkout.create.v1',
  checkoutGet: 'payments.rpc.checkout.get.v1',
  checkoutList: 'payments.rpc.checkout.list.v1',
  checkoutExpire: 'payments.rpc.checkout.expire.v1',
  checkoutWindow: 'payments.rpc.checkout.window.v1',
  checkoutLateSuccess: 'payments.rpc.checkout.late_success.v1',
  windowReconcile: 'payments.rpc.payment_window.reconcile.v1',
  subscriptionCreate: 'payments.rpc.subscription.create.v1',
  subscriptionChange: 'payments.rpc.subscription.change.v1',
  subscriptionCancel: 'payments.rpc.subscription.cancel.v1',
  subscriptionGet: 'payments.rpc.subscription.get.v1',
  subscriptionList: 'payments.rpc.subscription.list.v1',
  invoiceGet: 'payments.rpc.invoice.get.v1',
  invoiceList: 'payments.rpc.invoice.list.v1',
  usageRecord: 'payments.rpc.usage.record.v1',
  usageGet: 'payments.rpc.usage.get.v1',
  usageCheck: 'payments.rpc.usage.check.v1',
  usageCompare: 'payments.rpc.usage.compare.v1',
  usageCompareInvoices: 'payments.rpc.usage.compare_invoices.v1',
  usageRepair: 'payments.rpc.usage.repair.v1',
  usageLimitSet: 'payments.rpc.usage_limit.set.v1',
  usageLimitList: 'payments.rpc.usage_limit.list.v1',
  operatorUsageMissing: 'payments.rpc.operator_usage.missing.v1',
  operatorUsageStale: 'payments.rpc.operator_usage.stale.v1',
  receiptList: 'receipts.rpc.receipt.list.v1',
  receiptGet: 'receipts.rpc.receipt.get.v1',
  receiptOfPayment: 'receipts.rpc.receipt.of_payment.v1',
  receiptPdf: 'receipts.rpc.receipt.pdf.v1',
  receiptIssue: 'receipts.rpc.receipt.issue.v1',
  receiptRegenerate: 'receipts.rpc.receipt.regenerate.v1',
  receiptResend: 'receipts.rpc.receipt.resend.v1',
  receiptLink: 'receipts.rpc.receipt_link.open.v1',
  receiptVerification: 'receipts.rpc.receipt_verification.get.v1',
  operatorReceiptList: 'receipts.rpc.operator_receipt.list.v1',
  operatorReceiptGet: 'receipts.rpc.operator_receipt.get.v1',
  operatorReceiptRegenerate: 'receipts.rpc.operator_receipt.regenerate.v1',
  operatorReceiptResend: 'receipts.rpc.operator_receipt.resend.v1',
  operatorReceiptVerify: 'receipts.rpc.operator_receipt.verify.v1',
  runCreate: 'reconciliation.rpc.run.create.v1',
  runGet: 'reconciliation.rpc.run.get.v1',
  runList: 'reconciliation.rpc.run.list.v1',
  runDiscrepancies: 'reconciliation.rpc.run.discrepancies.v1',
  ledgerBalances: 'reconciliation.rpc.ledger.balances.v1',
  operatorReconciliation: 'reconciliation.rpc.operator_run.status.v1',
  operatorRunCreate: 'reconciliation.rpc.operator_run.create.v1',
  operatorRunGet: 'reconciliation.rpc.operator_run.get.v1',
  operatorRunList: 'reconciliation.rpc.operator_run.list.v1',
  operatorRunDiscrepancies: 'reconciliation.rpc.operator_run.discrepancies.v1',
  runDiscrepanciesCsv: 'reconciliation.rpc.run.discrepancies_csv.v1',
  webhookEventList: 'webhooks.rpc.webhook_event.list.v1',
  webhookEventGet: 'webhooks.rpc.webhook_event.get.v1',
  webhookEventReplay: 'webhooks.rpc.webhook_event.replay.v1',
  webhookReplayGet: 'webhooks.rpc.webhook_replay.get.v1',
  operatorEventList: 'webhooks.rpc.operator_event.list.v1',
  operatorEventGet: 'webhooks.rpc.operator_event.get.v1',
  operatorEventReplay: 'webhooks.rpc.operator_event.replay.v1',
  operatorSweepStatus: 'webhooks.rpc.operator_sweep.status.v1',
  operatorSweepGet: 'webhooks.rpc.operator_sweep.get.v1',
  operatorSweepOrder: 'webhooks.rpc.operator_sweep.order.v1',
  operatorEndpointList: 'webhooks.rpc.operator_endpoint.list.v1',
  operatorReplayList: 'webhooks.rpc.operator_replay.list.v1',
  operatorReplayGet: 'webhooks.rpc.operator_replay.get.v1',
  operatorReplayStop: 'webhooks.rpc.operator_replay.stop.v1',
  operatorReplayResume: 'webhooks.rpc.operator_replay.resume.v1',
  stripeSetupGet: 'webhooks.rpc.stripe_setup.get.v1',
  stripeSetupRepair: 'webhooks.rpc.stripe_setup.repair.v1',
  operatorPaymentList: 'payments.rpc.operator_payment.list.v1',
  operatorPaymentGet: 'payments.rpc.operator_payment.get.v1',
  operatorPaymentStats: 'payments.rpc.operator_payment.stats.v1',
  operatorSubscriptionCommandList: 'payments.rpc.operator_subscription_command.list.v1',
  operatorSubscriptionCommandResolve: 'payments.rpc.operator_subscription_command.resolve.v1',
  operatorSubscriptionCommandGiveUp: 'payments.rpc.operator_subscription_command.give_up.v1',
  operatorPaymentResolve: 'payments.rpc.operator_payment.resolve.v1',
  operatorCheckoutList: 'payments.rpc.operator_checkout.list.v1',
  operatorCheckoutGet: 'payments.rpc.operator_checkout.get.v1',
  operatorCheckoutWindow: 'payments.rpc.operator_checkout.window.v1',
  operatorCheckoutLateSuccess: 'payments.rpc.operator_checkout.late_success.v1',
  stripeCheck: 'payments.rpc.stripe.check.v1',
  tenantGet: 'gateway.rpc.tenant.get.v1',
} as const;
export type RpcSubject = (typeof RPC)[keyof typeof RPC] | DeadLetterSubject | EventReplaySubject;

/** Every service answers for what it set aside itself. */
export type DeadLetterVerb = 'list' | 'get' | 'replay' | 'discard';
export type DeadLetterSubject = `${Owner}.rpc.dead_letter.${DeadLetterVerb}.v1`;
export const deadLetterSubject = (owner: Owner, verb: DeadLetterVerb): DeadLetterSubject => `${owner}.rpc.dead_letter.${verb}.v1`;

/** Every service replays events into its own projections. */
export type EventReplayVerb = 'create' | 'list' | 'get' | 'swap' | 'stop';
export type EventReplaySubject = `${Owner}.rpc.event_replay.${EventReplayVerb}.v1`;
export const eventReplaySubject = (owner: Owner, verb: EventReplayVerb): EventReplaySubject => `${owner}.rpc.event_replay.${verb}.v1`;

/** `gateway.rpc.tenant.get.v1` answers this (not an HttpReply), or null for an unknown tenant. Request: `{ tenant }`. */
export const Tenant = z.object({
  id: z.string(),
  name: z.string(),
  zone: z.string(),
  locale: z.string(),
  legal_lines: z.array(z.string()),
  tax_ids: z.array(z.string()).optional(),
  /** The one colour of its documents, #rrggbb. */
  accent: z.string().nullable().optional(),
  /** `png` is base64; absent in copies, which keep it apart. */
  logo: z.object({ sha256: z.string(), png: z.string().optional() }).nullable().optional(),
});
export type Tenant = z.infer<typeof Tenant>;
