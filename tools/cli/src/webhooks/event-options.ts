import { WEBHOOK_EVENT_STATUSES, type WebhookEventFilter } from '@tidegate/contracts/ops/webhook-events';
import { type Command, Option } from 'commander';
import { timeOrAge } from '../output/time.js';

/** Which events, as the options say it. */
export interface EventOptions {
  status?: (typeof WEBHOOK_EVENT_STATUSES)[number];
  type?: string;
  tenant?: string;
  object?: string;
  since?: string;
  until?: string;
}

/** The options that say which events. */
export const withEventOptions = (command: Command): Command =>
  command
    .addOption(new Option('--status <status>', 'only those of which this became').choices([...WEBHOOK_EVENT_STATUSES]))
    .option('--type <type>', 'only of this type, such as charge.refunded')
    .option('--tenant <id>', 'only of this tenant')
    .option('--object <id>', 'only about this object of Stripe, such as pi_…')
    .option('--since <when>', 'only from then on: a time, or an age such as 2h', timeOrAge)
    .option('--until <when>', 'only from before then: a time, or an age', timeOrAge);

export const filterOf = ({ status, type, tenant, object, since, until }: EventOptions): WebhookEventFilter => ({
  ...(status === undefined ? {} : { status }),
  ...(type === undefined ? {} : { type }),
  ...(tenant === undefined ? {} : { tenant }),
  ...(object === undefined ? {} : { object_id: object }),
  ...(since === undefined ? {} : { created_gte: since }),
  ...(until === undefined ? {} : { created_lt: until }),
});
