import { withCorrelation } from '@tidegate/telemetry/correlation';
import type { Logger } from '@tidegate/telemetry/logger';
import { currentTraceparent } from '@tidegate/telemetry/tracing';
import type { NewStripeEvent } from '../stripe-event/stripe-event.store.js';
import type { WebhookMetrics } from '../webhook-metrics.js';
import { type Batcher, RowRefused } from './batcher.js';
import { readEventBody, type ReceivedEvent } from './event-body.decide.js';

export interface Delivery {
  raw: Buffer;
  /** The header Stripe-Signature. */
  signature: string | undefined;
}

/** `unavailable`: nothing is known to be stored, Stripe shall try again. */
export type Receipt = { kind: 'stored' } | { kind: 'bad_signature' } | { kind: 'malformed'; reason: string } | { kind: 'unavailable' };

export interface ReceiveParts {
  /** Whether one of the active secrets signed these bytes, not too long ago and not in the future. */
  isSigned(delivery: Delivery): boolean;
  batcher: Pick<Batcher<NewStripeEvent>, 'add'>;
  /** Whether its object has to be retrieved before it is published. */
  isHint(event: ReceivedEvent): boolean;
  /** After each new row. */
  stored(event: { is_hint: boolean }): void;
  metrics: WebhookMetrics;
  logger: Logger;
}

const REJECTION_LOG_EVERY_MS = 1000;

/** One delivery from its bytes to a committed row. Answers `stored` only after the commit, for new events and for redeliveries alike. */
export class ReceiveDelivery {
  private rejected = { count: 0, loggedAt: -Infinity };

  constructor(private readonly parts: ReceiveParts) {}

  async receive(delivery: Delivery): Promise<Receipt> {
    if (!this.parts.isSigned(delivery)) return this.rejectSignature();
    const body = readEventBody(delivery.raw);
    if (body.kind === 'malformed') return this.rejectBody(body.reason);
    return withCorrelation(body.event.stripe_event_id, () => this.store(body.event, delivery.raw));
  }

  private async store(event: ReceivedEvent, payload: Buffer): Promise<Receipt> {
    try {
      const is_hint = this.parts.isHint(event);
      const result = await this.parts.batcher.add({ ...event, payload, traceparent: currentTraceparent(), is_hint });
      this.log(event, result);
      this.parts.metrics.counted(event.event_type, result);
      if (result === 'accepted') this.parts.stored({ is_hint });
      return { kind: 'stored' };
    } catch (err) {
      this.parts.metrics.counted(event.event_type, 'failed');
      this.log(event, 'failed', err);
      return err instanceof RowRefused ? { kind: 'malformed', reason: 'not a storable event' } : { kind: 'unavailable' };
    }
  }

  private log(event: ReceivedEvent, result: string, err?: unknown): void {
    const { stripe_event_id, event_type, tenant_hint } = event;
    const fields = { event: 'webhook_received', stripe_event_id, event_type, tenant_hint, result };
    if (err === undefined) this.parts.logger.info(fields, 'Webhook received');
    else this.parts.logger.error({ ...fields, err }, 'Webhook received and not stored');
  }

  private rejectBody(reason: string): Receipt {
    this.parts.metrics.counted(null, 'failed');
    this.parts.logger.warn({ event: 'webhook_malformed', reason }, 'A signed delivery is not an event');
    return { kind: 'malformed', reason };
  }

  /** Anybody can send bad signatures, thousands a second: one line tells of many. */
  private rejectSignature(): Receipt {
    this.parts.metrics.counted(null, 'bad_signature');
    this.rejected.count += 1;
    const now = performance.now();
    if (now - this.rejected.loggedAt >= REJECTION_LOG_EVERY_MS) {
      this.parts.logger.warn(
        { event: 'webhook_bad_signature', deliveries: this.rejected.count },
        'Deliveries without a valid signature were refused',
      );
      this.rejected = { count: 0, loggedAt: now };
    }
    return { kind: 'bad_signature' };
  }
}
