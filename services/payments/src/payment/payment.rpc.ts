import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { RouteRequest, RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type Logger } from '@tidegate/telemetry/logger';
import { withCorrelation } from '@tidegate/telemetry/correlation';
import { inSpan } from '@tidegate/telemetry/tracing';
import { type CustomerCheck } from '../customer/customer.check.js';
import { OPERATIONS, type PaymentOperation } from '../idempotency/identity.js';
import { readRequest } from './ask.js';
import { type PaymentFlow } from './payment.flow.js';
import { problemReply } from './payment.reply.js';

export type RouteHandler = (request: RouteRequest, startedAt: number) => Promise<HttpReply>;

export interface PaymentRpcDeps {
  flow: PaymentFlow;
  customers: CustomerCheck;
  clock: { now(): Date };
  windowMs: number;
}

const SUBJECT: Record<PaymentOperation, RpcSubject> = {
  create: RPC.paymentCreate,
  confirm: RPC.paymentConfirm,
  capture: RPC.paymentCapture,
  cancel: RPC.paymentCancel,
  refund: RPC.paymentRefund,
};

/** The handlers of everything that changes a payment, by subject. */
export function commandHandlers(deps: PaymentRpcDeps): Partial<Record<RpcSubject, RouteHandler>> {
  return Object.fromEntries(
    OPERATIONS.map((operation) => [
      SUBJECT[operation],
      (request: RouteRequest, startedAt: number) => handleCommand(deps, operation, request, startedAt),
    ]),
  );
}

async function handleCommand(
  deps: PaymentRpcDeps,
  operation: PaymentOperation,
  request: RouteRequest,
  startedAt: number,
): Promise<HttpReply> {
  const reading = readRequest(operation, request, {
    now: deps.clock.now(),
    startedAt,
    windowMs: deps.windowMs,
    customerFault: (customer) => deps.customers.fault(customer, request),
  });
  if (reading.kind === 'reply') return reading.reply;
  const { command } = reading.ask;
  return inSpan(`payments.handle ${command.type}`, { attributes: { 'payments.payment_id': reading.ask.payment_id } }, () =>
    deps.flow.handle(reading.ask),
  );
}

export interface ServingRules {
  logger: Logger;
  /** Whether our key of Stripe moves real money. */
  livemode: boolean;
}

/** What tenants ask for that makes or moves something. Operators' routes are about what is there already, of whatever mode. */
const CHANGES = /^POST \/v1\/(?!ops\/)/;

/** Stripe's mode is that of our key: a payment of the other mode would tell everybody, its receipt included, the wrong thing about its money. */
const otherMode = ({ request_id }: RouteRequest, livemode: boolean): HttpReply =>
  problemReply(
    'auth.other_mode',
    livemode
      ? 'This is a test key, and real money is moved here; nothing was done. An operator makes a live key by `tidegate keys create --live`.'
      : "This is a live key, and only Stripe's test mode is used here; nothing was done. Use a test key.",
    request_id,
  );

/** One RPC request to one handler: what goes wrong on our side is a 5xx that says so, never an exception across the wire. */
export function served(handler: RouteHandler, { logger, livemode }: ServingRules): (request: unknown) => Promise<HttpReply> {
  return async (raw) => {
    const startedAt = Date.now();
    const parsed = RouteRequest.safeParse(raw);
    if (!parsed.success) return problemReply('internal', 'The request did not follow the contract between services.', 'unknown');
    const request = parsed.data;
    if (CHANGES.test(request.route) && request.livemode !== livemode) return otherMode(request, livemode);
    return withCorrelation(request.correlation_id, async () => {
      try {
        return await handler(request, startedAt);
      } catch (err) {
        const bug = err instanceof Error && err.message.startsWith('Bug:');
        logger.error(
          { event: 'request_failed', route: request.route, request_id: request.request_id, err },
          'A request broke off; its outcome is unknown',
        );
        return problemReply(bug ? 'internal' : 'service.unavailable', 'Try again with the same key.', request.request_id, {
          retryAfterMs: 1000,
        });
      }
    });
  };
}
