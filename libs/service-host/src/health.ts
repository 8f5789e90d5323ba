/** What /healthz and /readyz tell. Liveness never looks at dependencies: a blip of the broker must not restart the fleet. */
export interface LoopHealth {
  tick(): void;
  stop(): void;
}

export interface LivenessReport {
  ok: boolean;
  event_loop_lag_ms: number;
  loops: Record<string, { ok: boolean; age_ms: number }>;
}

export interface ReadinessReport {
  ok: boolean;
  /** Ready, and something is away that the service can do without for a while. */
  degraded: boolean;
  draining: boolean;
  dependencies: Record<string, DependencyReport>;
}

export interface DependencyReport {
  ok: boolean;
  /** Without a needed one the service is not ready. */
  needed: boolean;
  error?: string;
}

/** Throws, rejects or answers false when the dependency cannot be used. */
export type DependencyCheck = () => unknown;

const CHECK_TIMEOUT_MS = 1000;
const LAG_SAMPLE_MS = 200;
const LAG_LIMIT_MS = 1000;
/** Loops tick at least each second when idle; a handler may take this long. */
const DEFAULT_STALE_AFTER_MS = 60_000;

export class HealthRegistry {
  readonly #loops = new Map<string, { tickedAt: number; staleAfterMs: number }>();
  readonly #dependencies = new Map<string, { check: DependencyCheck; needed: boolean }>();
  #lagMs = 0;
  #draining = false;
  readonly #lagLimitMs: number;
  readonly #sampler: NodeJS.Timeout;

  /**
   * A pause of the event loop counts when the one before it was long, too: the start of a process on a busy machine, or one long collection, is over when somebody
   * asks, and no reason to restart.
   */
  constructor({ sampleMs = LAG_SAMPLE_MS, lagLimitMs = LAG_LIMIT_MS } = {}) {
    this.#lagLimitMs = lagLimitMs;
    let due = performance.now() + sampleMs;
    let before = 0;
    this.#sampler = setInterval(() => {
      const now = performance.now();
      const late = Math.max(0, now - due);
      this.#lagMs = Math.max(Math.min(late, before), this.#lagMs * 0.5);
      before = late;
      due = now + sampleMs;
    }, sampleMs).unref();
  }

  /** A loop that must tick at least each `staleAfterMs` for the process to count as alive. */
  loop(name: string, staleAfterMs = DEFAULT_STALE_AFTER_MS): LoopHealth {
    const state = { tickedAt: performance.now(), staleAfterMs };
    this.#loops.set(name, state);
    return {
      tick: () => {
        state.tickedAt = performance.now();
      },
      stop: () => {
        this.#loops.delete(name);
      },
    };
  }

  /** Without it /readyz says no. */
  dependency(name: string, check: DependencyCheck): void {
    this.#dependencies.set(name, { check, needed: true });
  }

  /** Shown by /readyz, which says yes all the same: the service does its work without it, and somebody catches up later. */
  dispensable(name: string, check: DependencyCheck): void {
    this.#dependencies.set(name, { check, needed: false });
  }

  /** From now on /readyz says no. */
  drain(): void {
    this.#draining = true;
  }

  get draining(): boolean {
    return this.#draining;
  }

  live(): LivenessReport {
    const now = performance.now();
    const loops = Object.fromEntries(
      [...this.#loops].map(([name, { tickedAt, staleAfterMs }]) => [
        name,
        { ok: now - tickedAt <= staleAfterMs, age_ms: Math.round(now - tickedAt) },
      ]),
    );
    const lag = Math.round(this.#lagMs);
    return { ok: lag < this.#lagLimitMs && Object.values(loops).every((loop) => loop.ok), event_loop_lag_ms: lag, loops };
  }

  async ready(): Promise<ReadinessReport> {
    const checked = await Promise.all(
      [...this.#dependencies].map(async ([name, { check, needed }]) => [name, { ...(await outcome(check)), needed }] as const),
    );
    const ok = !this.#draining && checked.every(([, one]) => one.ok || !one.needed);
    return { ok, degraded: ok && checked.some(([, one]) => !one.ok), draining: this.#draining, dependencies: Object.fromEntries(checked) };
  }

  close(): void {
    clearInterval(this.#sampler);
  }
}

async function outcome(check: DependencyCheck): Promise<{ ok: boolean; error?: string }> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS);
  });
  try {
    const answer = await Promise.race([Promise.resolve().then(check), deadline]);
    return answer === false ? { ok: false, error: 'not available' } : { ok: true };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? ('code' in error && String(error.code)) || error.message : 'failed' };
  } finally {
    clearTimeout(timer);
  }
}
