import { setTimeout as pause } from 'node:timers/promises';
import { type Arena } from './arena.js';
import { FAULT_MENU, FAULTS, type FaultOrder } from './fault-menu.js';
import { type Random } from './seed.js';

const WINDOW_MS = 1_000;
/** Quiet after each window, so that not everything is an outage. */
const QUIET_MS = 300;

/** Goes through the fault menu again and again, a window at a time, and counts what was hit. */
export class FaultWindows {
  private readonly hits = new Map<string, number>();

  constructor(
    private readonly arena: Arena,
    private readonly random: Random,
  ) {}

  /** Faults that were hit less often than `times`. */
  missing(times: number): string[] {
    return FAULTS.filter((fault) => (this.hits.get(fault) ?? 0) < times);
  }

  async until(over: AbortSignal, times: number): Promise<void> {
    while (!over.aborted) {
      for (const kind of ['calls', 'deliveries', 'later'] as const) await this.order(this.pick(FAULT_MENU[kind], times));
      await pause(WINDOW_MS, undefined, { signal: over }).catch(() => undefined);
      await this.end();
      await pause(QUIET_MS, undefined, { signal: over }).catch(() => undefined);
    }
  }

  /** Those that were not hit enough come first, in an order of chance. */
  private pick(orders: readonly FaultOrder[], times: number): FaultOrder {
    const wanted = orders.filter(({ fault }) => (this.hits.get(fault) ?? 0) < times);
    return this.random.pick(wanted.length > 0 ? wanted : orders);
  }

  private order(order: FaultOrder): Promise<void> {
    return this.arena.fault({ ...order, seed: this.random.below(2 ** 31) });
  }

  private async end(): Promise<void> {
    for (const { fault, hits } of await this.arena.faults()) this.hits.set(fault, (this.hits.get(fault) ?? 0) + hits);
    await this.arena.clearFaults();
    await this.arena.resetBreakers();
  }
}
