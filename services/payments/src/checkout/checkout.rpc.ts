import { CheckoutWindowBody, CreateCheckoutBody, ExpireCheckoutBody, LateSuccessBody } from '@tidegate/contracts/requests';
import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { type RouteRequest, RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { chargeFault } from '@tidegate/money/amount';
import { inSpan } from '@tidegate/telemetry/tracing';
import { type z } from 'zod';
import { type CustomerCheck } from '../customer/customer.check.js';
import { checkoutIdOf, objectCommandId, type ObjectOperation, requestHash, type Scope } from '../idempotency/identity.js';
import { amountRefusal } from '../payment/ask.js';
import { problemReply } from '../payment/payment.reply.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { type RequestDetails } from '../tables.js';
import { type CheckoutCommand } from './checkout.commands.js';
import { type CheckoutFlow } from './checkout.flow.js';
import { furthest } from './window.decide.js';

export interface CheckoutRpcDeps {
  flow: CheckoutFlow;
  customers: CustomerCheck;
  clock: { now(): Date };
  windowMs: number;
}

/** The handlers of everything that changes a checkout, by subject. */
export function checkoutHandlers(deps: CheckoutRpcDeps): Partial<Record<RpcSubject, RouteHandler>> {
  return {
    [RPC.checkoutCreate]: (request, startedAt) =>
      withBody(CreateCheckoutBody, 'checkout_create', request, (body, keyed) => create(deps, body, keyed, request, startedAt)),
    [RPC.checkoutExpire]: (request, startedAt) =>
      withBody(ExpireCheckoutBody, 'checkout_expire', request, (_, keyed) =>
        onCheckout(deps, { type: 'ExpireCheckout', command_id: keyed.command_id }, { keyed, request, startedAt }),
      ),
    [RPC.checkoutWindow]: (request, startedAt) =>
      withBody(CheckoutWindowBody, 'checkout_window', request, (body, keyed) => window(deps, body, { keyed, request, startedAt })),
    [RPC.checkoutLateSuccess]: (request, startedAt) =>
      withBody(LateSuccessBody, 'checkout_late', request, ({ action, reason }, keyed) =>
        onCheckout(
          deps,
          { type: 'ResolveLateSuccess', command_id: keyed.command_id, action },
          { keyed, request, startedAt, audit: { action: `checkout.late_success.${action}`, reason } },
        ),
      ),
  };
}

interface KeyedParts {
  scope: Scope;
  command_id: string;
  request_hash: string;
}

interface Asked {
  keyed: KeyedParts;
  request: RouteRequest;
  startedAt: number;
  audit?: { action: string; reason: string; details?: Record<string, unknown> };
}

async function withBody<S extends z.ZodType>(
  schema: S,
  operation: ObjectOperation,
  request: RouteRequest,
  then: (body: z.infer<S>, keyed: KeyedParts) => Promise<HttpReply>,
): Promise<HttpReply> {
  const key = request.idempotency_key;
  if (!key) return problemReply('idempotency.key_required', 'Send an Idempotency-Key.', request.request_id);
  const parsed = schema.safeParse(request.body ?? {});
  if (!parsed.success) {
    const errors = parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
    return problemReply('validation.failed', 'The body is not valid.', request.request_id, { errors });
  }
  const scope = { tenant: request.tenant, route: request.route, key };
  return then(parsed.data, { scope, command_id: objectCommandId(operation, scope), request_hash: requestHash(request.body) });
}

async function create(
  deps: CheckoutRpcDeps,
  body: CreateCheckoutBody,
  keyed: KeyedParts,
  request: RouteRequest,
  startedAt: number,
): Promise<HttpReply> {
  const total = body.line_items.reduce((sum, { quantity, unit_amount }) => sum + BigInt(quantity) * BigInt(unit_amount), 0n);
  const fault = chargeFault(total, body.currency);
  if (fault) return amountRefusal(fault, request);
  const checkout_id = checkoutIdOf(keyed.scope);
  const windowMs = body.window_hours === undefined ? deps.windowMs : body.window_hours * 3_600_000;
  const terms = {
    checkout_id,
    tenant: request.tenant,
    livemode: request.livemode,
    amount: Number(total),
    currency: body.currency,
    customer: body.customer ?? null,
    metadata: body.metadata ?? {},
  };
  const window_ends_at = new Date(deps.clock.now().getTime() + windowMs).toISOString();
  const { line_items, success_url, cancel_url, locale, customer } = body;
  const details: RequestDetails = { line_items, success_url, cancel_url, ...(locale === undefined ? {} : { locale }) };
  return spanned('OpenCheckout', checkout_id, () =>
    deps.flow.handle({
      ...keyed,
      checkout_id,
      command: { type: 'OpenCheckout', command_id: keyed.command_id, terms, window_ends_at },
      details,
      request,
      startedAt,
      objection: () => (customer === undefined ? Promise.resolve(null) : deps.customers.fault(customer, request)),
      audit: null,
    }),
  );
}

function window(deps: CheckoutRpcDeps, body: CheckoutWindowBody, asked: Asked): Promise<HttpReply> {
  const { action, reason } = body;
  const { command_id } = asked.keyed;
  if (action === 'expire')
    return onCheckout(deps, { type: 'ExpireCheckout', command_id }, { ...asked, audit: { action: 'payment_window.expire', reason } });
  const now = deps.clock.now();
  const until = body.until === undefined ? new Date(now.getTime() + deps.windowMs) : new Date(body.until);
  const command: CheckoutCommand = { type: 'ExtendWindow', command_id, until: until.toISOString() };
  const audit = { action: 'payment_window.extend', reason, details: { until: until.toISOString() } };
  const errors = untilFaults(until, now);
  return onCheckout(deps, command, { ...asked, audit }, () =>
    errors.length === 0 ? null : problemReply('validation.failed', 'The body is not valid.', asked.request.request_id, { errors }),
  );
}

function untilFaults(until: Date, now: Date): { path: string; message: string }[] {
  if (until.getTime() <= now.getTime()) return [{ path: 'until', message: 'lies in the past' }];
  return until > furthest(now) ? [{ path: 'until', message: 'is more than 24 hours from now' }] : [];
}

function onCheckout(
  { flow }: CheckoutRpcDeps,
  command: CheckoutCommand,
  { keyed, request, startedAt, audit }: Asked,
  objection: () => HttpReply | null = () => null,
): Promise<HttpReply> {
  const checkout_id = request.params['id'] ?? '';
  return spanned(command.type, checkout_id, () =>
    flow.handle({
      ...keyed,
      checkout_id,
      command,
      details: null,
      request,
      startedAt,
      objection: async () => objection(),
      audit: audit ?? null,
    }),
  );
}

const spanned = <R>(command: string, checkoutId: string, work: () => Promise<R>): Promise<R> =>
  inSpan(`payments.handle ${command}`, { attributes: { 'payments.checkout_id': checkoutId } }, work);
