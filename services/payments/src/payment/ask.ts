import { type ProblemCode } from '@tidegate/contracts/problem';
import {
  CancelPaymentBody,
  CapturePaymentBody,
  ConfirmPaymentBody,
  CreatePaymentBody,
  RefundPaymentBody,
} from '@tidegate/contracts/requests';
import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { type RouteRequest } from '@tidegate/contracts/rpc/routes';
import { type AmountFault, chargeFault, minorUnits, partFault } from '@tidegate/money/amount';
import { type z } from 'zod';
import { commandIdOf, paymentIdOf, type PaymentOperation, refundIdOf, requestHash, type Scope } from '../idempotency/identity.js';
import { type RequestDetails } from '../tables.js';
import { type Ask } from './payment.flow.js';
import { problemReply } from './payment.reply.js';
import { type Loaded } from './payment.store.js';

/** A request in the words of the flow, or the answer to one that can be refused by looking at it. */
export type Reading = { kind: 'ask'; ask: Ask } | { kind: 'reply'; reply: HttpReply };

export interface ReadingContext {
  now: Date;
  startedAt: number;
  /** How long a payment, or a confirm of one, is carried on when the request does not say. */
  windowMs: number;
  /** Null when the customer is this tenant's. */
  customerFault(customer: string, request: RouteRequest): Promise<HttpReply | null>;
}

/** Checks and translates the body of one operation. Nothing is written for what is refused here, and the key stays free. */
export function readRequest(operation: PaymentOperation, request: RouteRequest, context: ReadingContext): Reading {
  const key = request.idempotency_key;
  if (!key) return refusal('idempotency.key_required', 'Send an Idempotency-Key.', request);
  const common = commonOf(operation, request, { tenant: request.tenant, route: request.route, key }, context);
  switch (operation) {
    case 'create':
      return withBody(CreatePaymentBody, request, (body) => readCreate(common, body, request, context));
    case 'confirm':
      return withBody(ConfirmPaymentBody, request, (body) =>
        onPayment(
          common,
          request,
          { type: 'ConfirmPayment', command_id: common.command_id, payment_method: body.payment_method, not_after: windowEnd(context) },
          { amount: null },
          pick({ return_url: body.return_url, off_session: body.off_session }),
        ),
      );
    case 'capture':
      return withBody(CapturePaymentBody, request, (body) =>
        onPayment(
          common,
          request,
          { type: 'CapturePayment', command_id: common.command_id, amount: body.amount ?? null },
          { amount: body.amount ?? null },
        ),
      );
    case 'cancel':
      return withBody(CancelPaymentBody, request, (body) =>
        onPayment(common, request, { type: 'CancelPayment', command_id: common.command_id, reason: body.reason ?? null }, { amount: null }),
      );
    case 'refund':
      return withBody(RefundPaymentBody, request, (body) => {
        const refund = { refund_id: refundIdOf(common.scope), amount: body.amount ?? null, reason: body.reason ?? null };
        return onPayment(common, request, { type: 'RefundPayment', command_id: common.command_id, ...refund }, { amount: refund.amount });
      });
    default:
      return operation satisfies never;
  }
}

type Common = ReturnType<typeof commonOf>;

const commonOf = (operation: PaymentOperation, request: RouteRequest, scope: Scope, context: ReadingContext) => ({
  operation,
  scope,
  command_id: commandIdOf(operation, scope),
  request_hash: requestHash(request.body),
  request_id: request.request_id,
  cause: { correlation_id: request.correlation_id, causation_id: null, actor: request.actor },
  startedAt: context.startedAt,
});

function withBody<S extends z.ZodType>(schema: S, request: RouteRequest, read: (body: z.infer<S>) => Reading): Reading {
  const parsed = schema.safeParse(request.body ?? {});
  if (parsed.success) return read(parsed.data);
  const errors = parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  return { kind: 'reply', reply: problemReply('validation.failed', 'The body is not valid.', request.request_id, { errors }) };
}

function readCreate(common: Common, body: CreatePaymentBody, request: RouteRequest, context: ReadingContext): Reading {
  const fault = chargeFault(minorUnits(body.amount), body.currency);
  if (fault) return { kind: 'reply', reply: amountRefusal(fault, request) };
  const payment_id = paymentIdOf(common.scope);
  const terms = {
    payment_id,
    tenant: request.tenant,
    origin: 'api' as const,
    livemode: request.livemode,
    amount: body.amount,
    currency: body.currency,
    capture_method: body.capture_method ?? ('automatic' as const),
    customer: body.customer ?? null,
    metadata: body.metadata ?? {},
    payment_method: body.payment_method ?? null,
    not_after: body.not_after ?? windowEnd(context),
  };
  const details = pick({
    description: body.description,
    receipt_email: body.receipt_email,
    return_url: body.return_url,
    off_session: body.off_session,
    setup_future_usage: body.setup_future_usage,
    locale: body.locale,
    line_items: body.line_items,
  });
  const objections = [expiry(body.not_after, request, context), foreignCustomer(body.customer, request, context)].filter(
    (one) => one !== null,
  );
  const command = { type: 'CreatePayment' as const, command_id: common.command_id, terms, queued: request.respond_async };
  return asking(common, {
    payment_id,
    command,
    details,
    queued: request.respond_async,
    objection: objections.length === 0 ? null : firstOf(objections),
  });
}

/** Commands on an existing payment: it must be this tenant's, and an amount must be one that its currency can express. */
function onPayment(
  common: Common,
  request: RouteRequest,
  command: Ask['command'],
  { amount }: { amount: number | null },
  details: RequestDetails | null = null,
): Reading {
  const payment_id = request.params['id'] ?? '';
  const objection = async ({ state }: Loaded) => {
    if (state.kind === 'none' || state.terms.tenant !== request.tenant)
      return problemReply('not_found', 'There is no such payment.', request.request_id);
    const fault = amount === null ? null : partFault(minorUnits(amount), state.terms.currency);
    return fault ? amountRefusal(fault, request) : null;
  };
  return asking(common, { payment_id, command, details, queued: false, objection });
}

const asking = ({ command_id: _, ...common }: Common, own: Omit<Ask, keyof Omit<Common, 'command_id'>>): Reading => ({
  kind: 'ask',
  ask: { ...common, ...own },
});

const windowEnd = ({ now, windowMs }: ReadingContext): string => new Date(now.getTime() + windowMs).toISOString();

type Objection = () => Promise<HttpReply | null>;

function expiry(notAfter: string | undefined, request: RouteRequest, context: ReadingContext): Objection | null {
  if (notAfter === undefined || Date.parse(notAfter) > context.now.getTime()) return null;
  const errors = [{ path: 'not_after', message: 'lies in the past' }];
  return async () => problemReply('validation.failed', 'The body is not valid.', request.request_id, { errors });
}

const foreignCustomer = (customer: string | undefined, request: RouteRequest, context: ReadingContext): Objection | null =>
  customer === undefined ? null : () => context.customerFault(customer, request);

const firstOf = (objections: Objection[]) => async (): Promise<HttpReply | null> => {
  for (const objection of objections) {
    const reply = await objection();
    if (reply) return reply;
  }
  return null;
};

/** Why an amount cannot be taken, for the one who asked. */
export function amountRefusal(fault: AmountFault, request: RouteRequest): HttpReply {
  const refused = (code: ProblemCode, detail: string) => problemReply(code, detail, request.request_id);
  switch (fault.fault) {
    case 'currency_unsupported':
      return refused('payments.currency_unsupported', `Stripe takes no ${fault.currency}.`);
    case 'too_small':
      return refused('payments.amount_too_small', `At least ${fault.minimum} minor units.`);
    case 'too_large':
      return refused('payments.amount_too_large', `At most ${fault.maximum} minor units.`);
    case 'not_divisible': {
      const errors = [{ path: 'amount', message: `must be divisible by ${fault.step} in this currency` }];
      return problemReply('validation.failed', 'The body is not valid.', request.request_id, { errors });
    }
    default:
      return fault satisfies never;
  }
}

const refusal = (code: ProblemCode, detail: string, request: RouteRequest): Reading => ({
  kind: 'reply',
  reply: problemReply(code, detail, request.request_id),
});

/** Without what was not given; null when nothing was. */
function pick(details: { [K in keyof RequestDetails]?: RequestDetails[K] | undefined }): RequestDetails | null {
  const given = Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined)) as RequestDetails;
  return Object.keys(given).length === 0 ? null : given;
}
