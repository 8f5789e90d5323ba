import { type StoredEvent } from './event.js';

/** Lifts one event's data from a version to the next. Pure. */
export type Upcaster = (data: unknown) => unknown;

/** `{ PaymentCaptured: { 1: toVersion2 } }`: what lifts version 1 of PaymentCaptured to version 2. */
export type Upcasters = Readonly<Record<string, Readonly<Record<number, Upcaster>>>>;

/** A reader of events that gives each in its newest shape, whichever version it was stored in. */
export function upcastWith(upcasters: Upcasters): (event: StoredEvent) => StoredEvent {
  return (event) => {
    let current = event;
    for (let lift = upcasters[current.type]?.[current.version]; lift; lift = upcasters[current.type]?.[current.version]) {
      current = { ...current, data: lift(current.data), version: current.version + 1 };
    }
    return current;
  };
}
