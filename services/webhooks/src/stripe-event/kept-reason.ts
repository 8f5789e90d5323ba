import { scrub } from '@tidegate/telemetry/scrub';

/** A page of a hundred such reasons fits into one message of the broker with much room to spare. */
const MOST_CHARACTERS = 1000;

/** Why something failed as it is kept: what the database can store, without secrets, and cut where nobody reads on; the log has all of it. */
export function keptReason(reason: string): string {
  const clean = scrub(reason.replaceAll('\u0000', ''));
  return clean.length <= MOST_CHARACTERS ? clean : `${clean.slice(0, MOST_CHARACTERS - 1)}…`.toWellFormed();
}
