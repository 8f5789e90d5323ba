import { timingSafeEqual } from 'node:crypto';
import type { ApiKey } from './api-key.store.js';
import { hashOf, parseKey } from './key-format.js';

/** Who calls. */
export interface Caller {
  tenant: string;
  /** For audits: `key:<id>`. */
  actor: string;
  livemode: boolean;
  scopes: readonly string[];
}

export const callerBehind = (key: Pick<ApiKey, 'id' | 'tenant' | 'livemode' | 'scopes'>): Caller => ({
  tenant: key.tenant,
  actor: `key:${key.id}`,
  livemode: key.livemode,
  scopes: key.scopes,
});

/** The key that an actor of ours stands for. */
export const keyIdOf = (actor: string): string => actor.replace(/^key:/, '');

/** A revoked key may still work for this long; a restarted database is not asked for every request. */
const KNOWN_FOR_MS = 5000;
/** Someone who tries keys at random costs at most one query per id and second. */
const UNKNOWN_FOR_MS = 1000;
const MOST_ENTRIES = 10_000;

interface Remembered {
  until: number;
  key: Promise<ApiKey | null>;
}

export class Authenticator {
  readonly #remembered = new Map<string, Remembered>();

  /** `find` looks a key up by its id. `nowMs` is the wall clock. */
  constructor(
    private readonly find: (id: string) => Promise<ApiKey | null>,
    private readonly nowMs: () => number = Date.now,
  ) {}

  /**
   * The caller whose key this is; null when it is malformed, unknown, revoked or expired. Rejects when the database cannot say: that is never
   * a reason to call a key invalid.
   */
  async authenticate(key: string): Promise<Caller | null> {
    const parsed = parseKey(key);
    if (!parsed) return null;
    const row = await this.#lookUp(parsed.id);
    if (!row || !timingSafeEqual(row.hash, hashOf(key))) return null;
    return this.#hasEnded(row) ? null : callerBehind(row);
  }

  /** Whether the key of somebody who was let in earlier is still one. Rejects when the database cannot say. */
  async stillGood({ actor }: Pick<Caller, 'actor'>): Promise<boolean> {
    const row = await this.#lookUp(keyIdOf(actor));
    return row !== null && !this.#hasEnded(row);
  }

  #hasEnded(row: ApiKey): boolean {
    return row.revoked_at !== null || (row.expires_at !== null && row.expires_at.getTime() <= this.nowMs());
  }

  /** The key was changed by this process: the next request asks the database. */
  forget(id: string): void {
    this.#remembered.delete(id);
  }

  /** What ends later than it could was looked up before the clock was set back. */
  #isFresh({ until }: Remembered): boolean {
    const leftMs = until - this.nowMs();
    return leftMs > 0 && leftMs <= KNOWN_FOR_MS;
  }

  async #lookUp(id: string): Promise<ApiKey | null> {
    const known = this.#remembered.get(id);
    if (known && this.#isFresh(known)) return known.key;
    if (this.#remembered.size >= MOST_ENTRIES) this.#remembered.clear();
    const entry: Remembered = { until: this.nowMs() + KNOWN_FOR_MS, key: this.find(id) };
    this.#remembered.set(id, entry);
    try {
      const key = await entry.key;
      if (key === null) entry.until = this.nowMs() + UNKNOWN_FOR_MS;
      return key;
    } catch (error) {
      if (this.#remembered.get(id) === entry) this.#remembered.delete(id);
      throw error;
    }
  }
}
