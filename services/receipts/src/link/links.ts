import type { Clock } from '@tidegate/service-host/clock';
import type { Kysely } from 'kysely';
import type { Tables } from '../tables.js';
import { type LinkClaim, readLink, signLink } from './link-token.js';

export interface LinkSettings {
  /** Without a slash at the end; null: links are paths. */
  publicUrl: string | null;
  seconds: number;
}

/** Signed links to documents. The keys are read at each use: there are few reads, and a key that was added must count at once. */
export class Links {
  constructor(private readonly at: { db: Kysely<Tables>; clock: Clock; settings: LinkSettings }) {}

  /** Makes a link for each of these receipts, all with the same end. */
  async make(): Promise<(receiptId: string) => string> {
    const { clock, settings } = this.at;
    const [secret] = await this.secrets();
    if (secret === undefined) throw new Error('Bug: there is no key to sign links with');
    const until = Math.floor(clock.now().getTime() / 1000) + settings.seconds;
    return (receiptId) => `${settings.publicUrl ?? ''}/r/${signLink({ receiptId, until }, secret)}`;
  }

  async read(token: string): Promise<{ kind: 'good' | 'expired'; receiptId: string } | { kind: 'unknown' }> {
    const claim: LinkClaim | null = readLink(token, await this.secrets());
    if (!claim) return { kind: 'unknown' };
    const now = this.at.clock.now().getTime() / 1000;
    return { kind: now < claim.until ? 'good' : 'expired', receiptId: claim.receiptId };
  }

  /** Newest first. */
  private async secrets(): Promise<string[]> {
    const rows = await this.at.db.selectFrom('link_keys').select('secret').orderBy('id', 'desc').limit(5).execute();
    return rows.map((row) => row.secret);
  }
}
