import { CustomerErased, customerErased } from '@tidegate/contracts/events/customer';
import { type Handler, type Incoming, PermanentFailure } from '@tidegate/messaging/subscriber';
import type { Clock } from '@tidegate/service-host/clock';
import type { Transaction } from 'kysely';
import type { WebhooksTables } from '../tables.js';
import { remember } from './erasure.store.js';

/** Notes which customers payments erased. `erased` is called after the commit; all other messages go to `others`, together if it takes them so. */
export function erasureConsumer({ clock, erased, others }: { clock: Clock; erased: () => void; others: Handler }): Handler {
  async function note(tx: Transaction<WebhooksTables>, { envelope }: Incoming): Promise<void> {
    const parsed = CustomerErased.safeParse(envelope.data);
    if (!parsed.success) throw new PermanentFailure(`not an erased customer: ${parsed.error.message}`);
    await remember(tx, parsed.data.customer, clock.now());
  }

  return {
    ...(others.projector === undefined ? {} : { projector: others.projector }),
    handle: (tx, message, prepared) => (isErasure(message) ? note(tx, message) : others.handle(tx, message, prepared)),
    ...(others.handleAll === undefined
      ? {}
      : {
          async handleAll(tx, messages) {
            for (const message of messages.filter(isErasure)) await note(tx, message);
            await others.handleAll!(
              tx,
              messages.filter((message) => !isErasure(message)),
            );
          },
        }),
    afterCommit(message) {
      if (isErasure(message)) erased();
      else others.afterCommit?.(message);
    },
  };
}

const isErasure = ({ subject }: Incoming): boolean => subject === customerErased.subject;
