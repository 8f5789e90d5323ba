import { type Kysely, sql } from 'kysely';
import { takenLeases } from './lease-look.js';
import { renewTogether } from './lease-renewals.js';

export const LEASE_TTL_MS = 5_000;

/**
 * Leadership as a row of `leases` (holder, epoch, expires_at on the database's clock). Holding it is a hint that the work is ours; what the holder
 * writes must name the epoch, because a paused process learns too late that it was replaced.
 */
export class Lease {
  private held: number | null = null;

  /**
   * @param holder unique per process and role; two instances with one holder share the lease.
   * @param ttlMs time after the last renewal when another may take over.
   */
  constructor(
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's database
    private readonly db: Kysely<any>,
    readonly name: string,
    readonly holder: string,
    private readonly ttlMs = LEASE_TTL_MS,
  ) {}

  /** The epoch of the last successful acquire or renewal, null when not held. */
  get epoch(): number | null {
    return this.held;
  }

  /** Takes the lease if it is free, expired or already ours; its epoch, or null while another holds it. A new holder gets a new epoch. */
  async acquire(): Promise<number | null> {
    const { rows } = await sql<{ epoch: number }>`
      INSERT INTO leases AS l (name, holder, epoch, expires_at)
      VALUES (${this.name}, ${this.holder}, 1, clock_timestamp() + ${this.ttlMs} * interval '1 millisecond')
      ON CONFLICT (name) DO UPDATE SET
        holder = excluded.holder,
        epoch = CASE WHEN l.holder = excluded.holder AND l.expires_at > clock_timestamp() THEN l.epoch ELSE l.epoch + 1 END,
        expires_at = clock_timestamp() + ${this.ttlMs} * interval '1 millisecond'
      WHERE l.holder = excluded.holder OR l.expires_at <= clock_timestamp()
      RETURNING epoch`.execute(this.db);
    this.held = rows[0]?.epoch ?? null;
    return this.held;
  }

  /**
   * The same for who asks again and again while another holds it: reads first, in a statement that all such askers of a moment share, because an attempt to take
   * it locks its row, and is a write, even when it comes to nothing.
   */
  async acquireIfFree(): Promise<number | null> {
    const holder = (await takenLeases(this.db)).get(this.name);
    return holder === undefined || holder === this.holder ? this.acquire() : null;
  }

  /**
   * Prolongs the lease; false when it was lost (expired, or taken by another), and then it must be acquired again. Leases of one database that are renewed
   * in the same moment share a statement.
   */
  async renew(): Promise<boolean> {
    if (this.held === null) return false;
    const epoch = this.held;
    const renewed = await renewTogether(this.db, { name: this.name, holder: this.holder, epoch, ttlMs: this.ttlMs });
    if (!renewed && this.held === epoch) this.held = null;
    return this.held !== null;
  }

  /** Frees the lease at once, so that another need not wait for its end. */
  async release(): Promise<void> {
    if (this.held === null) return;
    const epoch = this.held;
    this.held = null;
    await sql`
      UPDATE leases SET expires_at = clock_timestamp()
      WHERE name = ${this.name} AND holder = ${this.holder} AND epoch = ${epoch}`.execute(this.db);
  }
}
