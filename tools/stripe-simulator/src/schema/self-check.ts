import { type Answer } from '../http/answer.js';
import { UNDESCRIBED } from '../http/route.js';
import { v2ShapeFaults } from '../v2/shape.js';
import { errorFaults } from './error-shape.js';
import { eventFaults, shapeFaults } from './shape.js';

/** Collects every deviation of our own answers and events from the API description; for tests. */
export class SelfCheck {
  readonly faults: string[] = [];

  /** Hears of each of them at once. */
  onFault: (fault: string) => void = () => undefined;

  fault(fault: string): void {
    this.faults.push(fault);
    this.onFault(fault);
  }

  answer(operation: string, status: number, value: unknown, returns: string): void {
    const compare = returns.startsWith('v2') ? v2ShapeFaults : shapeFaults;
    if (status === 200 && returns !== UNDESCRIBED) this.add(operation, compare(value, returns));
  }

  /** Whatever leaves with a status of 400 or more: an error in JSON, but for the page of a proxy (`error_502_html`). */
  refusal(operation: string, { status, headers, body }: Answer): void {
    if (status < 400 || headers['Content-Type'] === 'text/html') return;
    this.add(`${operation} (${status})`, errorFaults(JSON.parse(body)));
  }

  /** A dashboard action answers with the object that it changed, if it is one of the API's, or with an error. */
  action(name: string, { status, value }: { readonly status: number; readonly value: unknown }): void {
    const { object } = value as { object?: unknown };
    if (status >= 400) this.add(`dashboard ${name}`, errorFaults(value));
    else if (typeof object === 'string') this.add(`dashboard ${name}`, shapeFaults(value, object));
  }

  event(event: Parameters<typeof eventFaults>[0]): void {
    this.add(`event ${event.type}`, eventFaults(event));
  }

  private add(where: string, faults: readonly string[]): void {
    for (const fault of faults) this.fault(`${where}: ${fault}`);
  }
}
