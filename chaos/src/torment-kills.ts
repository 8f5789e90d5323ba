import { readFileSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type ServiceName } from '@tidegate/local-stack/stack/services';
import { type Arena } from './arena.js';
import { failpointsHitIn } from './failpoint-hits.js';
import { type Random } from './seed.js';

/** TIDEGATE_FAILPOINT of a process of this service, where it is not to die at `except`. */
export type Annoyed = (service: ServiceName, except: readonly string[]) => string;

export interface Victim {
  service: ServiceName;
  replica: number;
}

/** SIGKILLs a process of chance now and then, so many times in all, and starts it again, annoyed as before. */
export class RandomKiller {
  kills = 0;

  constructor(
    private readonly arena: Arena,
    private readonly random: Random,
    private readonly annoyed: Annoyed,
    private readonly most: number,
  ) {}

  /** `isHunted`: somebody else starts it again. */
  async until(over: AbortSignal, victims: readonly Victim[], isHunted: (victim: Victim) => boolean): Promise<void> {
    const { stack } = this.arena;
    const starting = new Set<Victim>();
    const starts: Promise<void>[] = [];
    while (this.kills < this.most) {
      await pause(1_500 + this.random.below(2_500), undefined, { signal: over }).catch(() => undefined);
      if (over.aborted) break;
      const victim = this.random.pick(victims);
      if (starting.has(victim)) continue;
      const { service, replica } = victim;
      await stack.kill(service, replica);
      this.kills += 1;
      if (isHunted(victim)) continue;
      starting.add(victim);
      const started = stack
        .restart(service, replica, { TIDEGATE_FAILPOINT: this.annoyed(service, []) })
        .then(() => void starting.delete(victim));
      started.catch(() => undefined);
      starts.push(started);
    }
    await Promise.all(starts);
  }
}

/** How many of these failpoints a process is to die at, whichever comes first. */
const ARMED_AT_ONCE = 3;
/** What no story reached by then is tried with another replica. */
const PATIENCE_MS = 10_000;

/** kill -9 at each of some failpoints, by these replicas of their service at once, while everything else goes wrong, too. */
export class FailpointKiller {
  readonly killed: string[] = [];
  /** At which a process is about to die. */
  readonly waitedFor = new Set<string>();
  private readonly left: Set<string>;
  private readonly hunting = new Set<Victim>();

  constructor(
    private readonly arena: Arena,
    private readonly hunters: readonly Victim[],
    names: readonly string[],
    private readonly annoyed: Annoyed,
  ) {
    this.left = new Set(names);
  }

  get missed(): string[] {
    return [...this.left];
  }

  /** Whether this process is started again by the hunt, whoever killed it. */
  isHunted({ service, replica }: Victim): boolean {
    return [...this.hunting].some((one) => one.service === service && one.replica === replica);
  }

  /** Resolves when every failpoint has killed, or `over` aborts. */
  async until(over: AbortSignal): Promise<void> {
    await Promise.all(this.hunters.map((one) => this.hunt(one, over)));
  }

  private async hunt(hunter: Victim, over: AbortSignal): Promise<void> {
    this.hunting.add(hunter);
    while (this.left.size > 0 && !over.aborted) {
      const armed = this.next();
      for (const name of armed) this.waitedFor.add(name);
      const died = await this.diedAt(hunter, armed, over);
      for (const name of armed) this.waitedFor.delete(name);
      if (died !== undefined && this.left.delete(died)) this.killed.push(died);
    }
    await this.release(hunter);
    this.hunting.delete(hunter);
  }

  /** Starts it again without anything that kills; once more when chance kills it before it is ready. */
  private async release({ service, replica }: Victim): Promise<void> {
    const { stack } = this.arena;
    for (;;) {
      try {
        return await stack.restart(service, replica, { TIDEGATE_FAILPOINT: this.annoyed(service, []) });
      } catch (error) {
        if ((await stack.exited(service, replica)).signal !== 'SIGKILL') throw error;
      }
    }
  }

  /** Those that no other replica is waiting at come first. */
  private next(): string[] {
    const free = [...this.left].filter((name) => !this.waitedFor.has(name));
    return (free.length > 0 ? free : [...this.left]).slice(0, ARMED_AT_ONCE);
  }

  private async diedAt({ service, replica }: Victim, armed: readonly string[], over: AbortSignal): Promise<string | undefined> {
    const { stack } = this.arena;
    const { log } = stack.processes().find((one) => one.name === service && one.replica === replica)!;
    const written = statSync(log).size;
    const kills = armed.map((name) => `${name}:kill`);
    const TIDEGATE_FAILPOINT = [...kills, this.annoyed(service, armed)].filter((one) => one !== '').join(',');
    // It may well die before it is ready.
    await stack.restart(service, replica, { TIDEGATE_FAILPOINT }).catch(() => undefined);
    const waited = new AbortController();
    const end = () => waited.abort();
    over.addEventListener('abort', end);
    const patience = pause(PATIENCE_MS, undefined, { signal: waited.signal }).catch(() => undefined);
    const exit = await Promise.race([stack.exited(service, replica), patience]);
    over.removeEventListener('abort', end);
    waited.abort();
    if (!exit) return undefined;
    const said = readFileSync(log).subarray(written).toString('utf8');
    const name = failpointsHitIn(said, 'kill').find((one) => armed.includes(one));
    // Without a name it was killed by chance.
    if (exit.signal === 'SIGKILL') return name;
    throw new Error(`${service}-${replica} ended by itself (${exit.signal ?? `code ${exit.code}`}): ${said.slice(-2000)}`);
  }
}
