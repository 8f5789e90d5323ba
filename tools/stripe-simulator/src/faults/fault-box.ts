import { covers } from '../events/event.js';
import { Random } from '../ids/random.js';
import { type ActiveFault, type FaultSpec, HTTP_FAULTS, type HttpFault, type LateFault, type WebhookFault } from './fault.js';
import { type RouteMatcher, routeMatcher } from './route-matcher.js';

interface Armed {
  readonly id: string;
  readonly spec: FaultSpec;
  readonly random: Random;
  readonly matches: RouteMatcher;
  readonly endsAtMs: number;
  matched: number;
  hits: number;
}

const HTTP: ReadonlySet<string> = new Set(HTTP_FAULTS);

/** The faults in force. Each `take` counts a match and says whether it is hit. */
export class FaultBox {
  private armed: Armed[] = [];
  private added = 0;
  private readonly clearListeners = new Set<() => void>();

  constructor(private readonly seed: number) {}

  add(spec: FaultSpec): ActiveFault {
    this.added += 1;
    const armed: Armed = {
      id: `fault_${this.added}`,
      spec,
      random: new Random(spec.seed ?? this.seed + this.added),
      matches: routeMatcher(spec.route),
      endsAtMs: spec.duration_ms === undefined ? Infinity : Date.now() + spec.duration_ms,
      matched: 0,
      hits: 0,
    };
    this.armed.push(armed);
    return view(armed);
  }

  isEmpty(): boolean {
    return this.armed.length === 0;
  }

  list(): ActiveFault[] {
    return this.armed.map(view);
  }

  /** Removes all faults and lets go of everything that hangs because of one. */
  clear(): void {
    this.armed = [];
    for (const release of this.clearListeners) release();
    this.clearListeners.clear();
  }

  /** `release` is called once when the faults are cleared; the returned function forgets it. */
  onClear(release: () => void): () => void {
    this.clearListeners.add(release);
    return () => this.clearListeners.delete(release);
  }

  /** The first fault that meets this request. */
  takeHttp(method: string, path: string): (FaultSpec & { fault: HttpFault }) | undefined {
    if (this.armed.length === 0) return undefined;
    return this.take((armed) => HTTP.has(armed.spec.fault) && armed.matches(method, path)) as
      (FaultSpec & { fault: HttpFault }) | undefined;
  }

  takeWebhook(name: WebhookFault, eventType: string): FaultSpec | undefined {
    if (this.armed.length === 0) return undefined;
    return this.take(({ spec }) => spec.fault === name && covers(spec.event_type ?? '*', eventType));
  }

  /** `operation` is the request that the late truth is about: `POST /v1/refunds`. */
  takeLate(name: LateFault, operation: string): FaultSpec | undefined {
    if (this.armed.length === 0) return undefined;
    const [method = '', path = ''] = operation.split(' ');
    return this.take((armed) => armed.spec.fault === name && armed.matches(method, path));
  }

  private take(matches: (armed: Armed) => boolean): FaultSpec | undefined {
    for (const armed of this.armed) if (matches(armed) && isHit(armed)) return armed.spec;
    return undefined;
  }
}

function isHit(armed: Armed): boolean {
  const { spec } = armed;
  if (isSpent(armed)) return false;
  armed.matched += 1;
  if (armed.matched < (spec.nth ?? 1)) return false;
  if (spec.probability !== undefined && armed.random.fraction() >= spec.probability) return false;
  armed.hits += 1;
  return true;
}

function isSpent({ spec, hits, endsAtMs }: Armed): boolean {
  return hits >= limitOf(spec) || Date.now() >= endsAtMs;
}

function limitOf(spec: FaultSpec): number {
  if (spec.times !== undefined) return spec.times === 0 ? Infinity : spec.times;
  return spec.probability !== undefined || spec.duration_ms !== undefined ? Infinity : 1;
}

function view(armed: Armed): ActiveFault {
  const { id, spec, matched, hits } = armed;
  return { id, ...spec, matched, hits, spent: isSpent(armed) };
}
