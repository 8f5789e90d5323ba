import { CATALOGUE } from '@tidegate/contracts/catalogue';
import { SUBJECT_PREFIX_OF_OWNER } from '@tidegate/contracts/subjects';
import { type Handler, type Incoming, TransientFailure } from './incoming.js';

const SUBJECTS: ReadonlySet<string> = new Set(CATALOGUE.map(({ subject }) => subject));
/** Of Stripe's events every type is known, since what they are about is told in one way; only another version would not be. */
const OF_STRIPE = new RegExp(`^${SUBJECT_PREFIX_OF_OWNER.webhooks.replace('.', '\\.')}\\..+\\.v1$`);
const RETRY_MS = 5_000;

/** Whether this version of the contracts has such messages. */
export const isKnownSubject = (subject: string): boolean => SUBJECTS.has(subject) || OF_STRIPE.test(subject);

/**
 * A message of a type that this version does not know waits, with what is behind it for the same aggregate, instead of passing by as if nothing were to be done: during a
 * deploy a process of the next version takes it at one of its next tries. Where none comes within a day, it is set aside as dead, where operators see it and replay
 * it.
 */
export function parkingUnknown<H extends Handler>(handler: H): H {
  const { prepare, handleAll, handleSome } = handler;
  const parked: H = Object.create(handler, {
    handle: {
      value: (...args: Parameters<Handler['handle']>) => {
        expectKnown(args[1]);
        return handler.handle(...args);
      },
    },
  });
  if (prepare)
    parked.prepare = (message) => {
      expectKnown(message);
      return prepare.call(handler, message);
    };
  if (handleAll)
    parked.handleAll = (tx, messages) => {
      messages.forEach(expectKnown);
      return handleAll.call(handler, tx, messages);
    };
  if (handleSome)
    parked.handleSome = async (tx, messages, inContextOf) => {
      const known = messages.filter(({ subject }) => isKnownSubject(subject));
      const unknown = messages.filter(({ subject }) => !isKnownSubject(subject));
      return [...unknown, ...(await handleSome.call(handler, tx, known, inContextOf))];
    };
  return parked;
}

function expectKnown({ subject }: Incoming): void {
  if (!isKnownSubject(subject)) throw new TransientFailure(`This version does not know ${subject}`, RETRY_MS);
}
