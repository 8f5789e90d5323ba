import { everyPage } from '@tidegate/stripe-gateway/every-page';
import { type Formula, type Meter } from '@tidegate/stripe-gateway/meter';
import { type StripePort } from '@tidegate/stripe-gateway/port';
import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../tables.js';

/** A meter of Stripe's as we last read it. */
export interface KnownMeter {
  event_name: string;
  stripe_meter: string;
  formula: Formula | null;
  active: boolean;
  customer_key: string;
  value_key: string;
}

interface MetersDeps {
  db: Kysely<PaymentsTables>;
  stripe: Pick<StripePort, 'listMeters'>;
  clock: { now(): Date };
}

/** The copy is read again after this; for a meter that it lacks sooner, and once at once. Milliseconds of the clock of decisions. */
const FRESH_MS = 10 * 60_000;
const LACKING_MS = 15_000;
const AT_ONCE_MS = 1_000;

/** Which meters there are and how they count: Stripe's list, kept in a table, so that usage can be read while Stripe is away. */
export class Meters {
  private listedAt = -Infinity;
  /** Names that Stripe's list lacked when it was last read. */
  private missing = new Set<string>();

  constructor(private readonly deps: MetersDeps) {}

  /** The active ones of these names. What is missing is read from Stripe; when Stripe does not answer, what was known before is all there is. */
  async find(names: readonly string[]): Promise<Map<string, KnownMeter>> {
    const known = await this.read(names);
    const age = this.deps.clock.now().getTime() - this.listedAt;
    const lacking = names.filter((name) => !known.get(name)?.active);
    if (age < this.patienceMs(lacking)) return active(known);
    const all = await everyPage((query) => this.deps.stripe.listMeters(query), {});
    if (all.kind !== 'ok') return active(known);
    await this.keep(all.value);
    this.listedAt = this.deps.clock.now().getTime();
    const found = active(await this.read(names));
    this.missing = new Set(names.filter((name) => !found.has(name)));
    return found;
  }

  /** How a meter counts that is not in use, as far as anybody knows: by the sum, as they do unless they are told otherwise. */
  async formulaOf(name: string): Promise<Formula> {
    return (await this.read([name])).get(name)?.formula ?? 'sum';
  }

  private patienceMs(lacking: readonly string[]): number {
    if (lacking.length === 0) return FRESH_MS;
    return lacking.every((name) => this.missing.has(name)) ? LACKING_MS : AT_ONCE_MS;
  }

  private async read(names: readonly string[]): Promise<Map<string, KnownMeter>> {
    const { rows } = await sql<KnownMeter>`
      SELECT event_name, stripe_meter, formula, active, customer_key, value_key FROM usage_meters WHERE event_name = ANY(${[...names]}::text[])`.execute(
      this.deps.db,
    );
    return new Map(rows.map((row) => [row.event_name, row]));
  }

  private async keep(meters: readonly Meter[]): Promise<void> {
    const now = this.deps.clock.now();
    const byName = new Map<string, Meter>();
    // Of several with one name the active one counts, else the newest.
    for (const one of meters.toSorted((a, b) => rank(a) - rank(b) || a.created - b.created)) byName.set(one.event_name, one);
    for (const one of [...byName.values()].toSorted((a, b) => (a.event_name < b.event_name ? -1 : 1)))
      await sql`
        INSERT INTO usage_meters (event_name, stripe_meter, formula, active, customer_key, value_key, read_at)
        VALUES (${one.event_name}, ${one.id}, ${one.formula}, ${one.status === 'active'}, ${one.customer_key}, ${one.value_key}, ${now})
        ON CONFLICT (event_name) DO UPDATE SET stripe_meter = excluded.stripe_meter, formula = excluded.formula, active = excluded.active,
          customer_key = excluded.customer_key, value_key = excluded.value_key, read_at = excluded.read_at`.execute(this.deps.db);
  }
}

const rank = ({ status }: Meter): number => (status === 'active' ? 1 : 0);

const active = (known: ReadonlyMap<string, KnownMeter>): Map<string, KnownMeter> =>
  new Map([...known].filter(([, meter]) => meter.active && meter.formula !== null));
