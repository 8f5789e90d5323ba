import { existsSync, renameSync } from 'node:fs';
import { type World } from '../world.js';
import { restoreSnapshot, takeSnapshot } from './snapshot.js';
import { readSnapshot, writeSnapshot } from './snapshot-lines.js';

const SHORTEST_INTERVAL_MS = 1_000;
/** Writing may take a twentieth of the time, however large the state grows. */
const REST_FACTOR = 20;

/** Keeps the state in a file: loaded at start, written after changes and at the end. */
export class StateFile {
  private timer: NodeJS.Timeout | undefined;
  private written = '';

  constructor(
    private readonly path: string,
    private readonly world: World,
  ) {}

  /** Whether there was a state to load. Throws when the file is not one of ours. */
  load(): boolean {
    if (!existsSync(this.path)) return false;
    const snapshot = readSnapshot(this.path);
    if (snapshot === null) throw new Error(`${this.path} is not a state file of this simulator`);
    restoreSnapshot(this.world, snapshot);
    return true;
  }

  start(): void {
    this.plan(SHORTEST_INTERVAL_MS);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.write();
  }

  private plan(waitMs: number): void {
    this.timer = setTimeout(() => {
      const startedMs = performance.now();
      this.write();
      this.plan(Math.max(SHORTEST_INTERVAL_MS, (performance.now() - startedMs) * REST_FACTOR));
    }, waitMs);
    this.timer.unref();
  }

  private write(): void {
    const mark = this.changeMark();
    if (mark === this.written) return;
    const temporary = `${this.path}.${process.pid}.tmp`;
    writeSnapshot(temporary, takeSnapshot(this.world));
    renameSync(temporary, this.path);
    this.written = mark;
  }

  /** Anything that changes state makes a request, an event, a delivery attempt or moves the clock or the generator. */
  private changeMark(): string {
    const { requests, events, deliveries, clock, random } = this.world;
    return [requests.total(), events.records.size, deliveries.total(), clock.offsetSeconds(), ...random.state()].join();
  }
}
