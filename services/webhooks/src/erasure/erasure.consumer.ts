import { CustomerErased, customerErased } from '@tidegate/contracts/events/customer';
import { type Handler, PermanentFailure } from '@tidegate/messaging/subscriber';
import type { Clock } from '@tidegate/service-host/clock';
import { remember } from './erasure.store.js';

/** Notes which customers payments erased. `erased` is called after the commit; all other messages go to `others`. */
export function erasureConsumer({ clock, erased, others }: { clock: Clock; erased: () => void; others: Handler }): Handler {
  return {
    ...(others.projector === undefined ? {} : { projector: others.projector }),
    async handle(tx, message, prepared) {
      if (message.subject !== customerErased.subject) return others.handle(tx, message, prepared);
      const parsed = CustomerErased.safeParse(message.envelope.data);
      if (!parsed.success) throw new PermanentFailure(`not an erased customer: ${parsed.error.message}`);
      await remember(tx, parsed.data.customer, clock.now());
    },
    afterCommit(message) {
      if (message.subject === customerErased.subject) erased();
      else others.afterCommit?.(message);
    },
  };
}
