import { UNDESCRIBED } from '../http/route.js';
import { v2ShapeFaults } from '../v2/shape.js';
import { eventFaults, shapeFaults } from './shape.js';

/** Collects every deviation of our own answers and events from the API description; for tests. */
export class SelfCheck {
  readonly faults: string[] = [];

  answer(operation: string, status: number, value: unknown, returns: string): void {
    const compare = returns.startsWith('v2') ? v2ShapeFaults : shapeFaults;
    if (status === 200 && returns !== UNDESCRIBED) this.add(operation, compare(value, returns));
    const { error } = value as { error?: { payment_intent?: unknown; payment_method?: unknown; setup_intent?: unknown } };
    if (error?.payment_intent) this.add(operation, shapeFaults(error.payment_intent, 'payment_intent'));
    if (error?.setup_intent) this.add(operation, shapeFaults(error.setup_intent, 'setup_intent'));
    if (error?.payment_method) this.add(operation, shapeFaults(error.payment_method, 'payment_method'));
  }

  event(event: Parameters<typeof eventFaults>[0]): void {
    this.add(`event ${event.type}`, eventFaults(event));
  }

  private add(where: string, faults: readonly string[]): void {
    for (const fault of faults) this.faults.push(`${where}: ${fault}`);
  }
}
