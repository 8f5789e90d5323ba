import { EventType, STRIPE_EVENT_ID, StripeObjectId, WebhookEventFilter, WebhookEventStatus } from '@tidegate/contracts/ops/webhook-events';
import { z } from 'zod';
import { createdRange, paging } from '../http/list-query.js';

/** Which webhook events, in a query string. */
export const eventQuery = {
  status: WebhookEventStatus.optional().describe('What became of it'),
  type: EventType.optional(),
  tenant: WebhookEventFilter.shape.tenant,
  object_id: StripeObjectId.optional().describe('The Stripe object that the event is about'),
  ids: z
    .string()
    .max(10_000)
    .refine((text) => text.split(',').every((id) => STRIPE_EVENT_ID.test(id)), 'must be ids of events, separated by commas')
    .optional()
    .describe('Only these, at most 100, separated by commas'),
  ...createdRange,
  ...paging,
};
