import { customerErased } from '@tidegate/contracts/events/customer';
import { envelope, type OutboxMessage } from '@tidegate/messaging/outbox';
import { type Customer } from './customer.decide.js';

/** What caused an erasure: the request or the news that asked for it. */
export interface Cause {
  correlation_id: string;
  causation_id: string | null;
  traceparent: string | null;
}

/** The message that tells others to erase their copies. The only fact of customers that is published, and told once of each. */
export function erasedMessage({ tenant, stripe_customer, livemode }: Customer, erasedAt: Date, cause: Cause): OutboxMessage {
  if (stripe_customer === null) throw new Error('Bug: a customer that nobody but us knows is erased');
  return {
    aggregate: stripe_customer,
    subject: customerErased.subject,
    envelope: envelope(customerErased, {
      tenant,
      aggregateId: stripe_customer,
      aggregateVersion: 1,
      occurredAt: erasedAt,
      correlationId: cause.correlation_id,
      causationId: cause.causation_id,
      traceparent: cause.traceparent,
      data: { customer: stripe_customer, erased_at: erasedAt.toISOString(), livemode },
    }),
  };
}
