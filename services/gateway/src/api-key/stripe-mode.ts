import { ProcessSecrets, secretListSubject } from '@tidegate/contracts/ops/secrets';
import type { RpcClient } from '@tidegate/messaging/rpc';

/** How old what is known of the mode may be; a service takes another one up only when it is started anew. */
const KNOWN_FOR_MS = 5000;
const ANSWER_MS = 1000;
/** Who has a key of Stripe, the one that moves money first. */
const HOLDERS = ['payments', 'webhooks', 'reconciliation'];

/** Whether the key of Stripe, which the gateway has not, moves real money: those who have it say of what kind it is. */
export class StripeMode {
  private known: { livemode: boolean; until: number } | undefined;
  private asking: Promise<boolean> | undefined;

  constructor(
    private readonly ask: () => Promise<boolean>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** While nobody answers it is what was said last; rejects when nobody has said anything yet. */
  async livemode(): Promise<boolean> {
    if (this.known && this.now() < this.known.until) return this.known.livemode;
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    const livemode = await this.asking.catch((error: unknown) => {
      if (this.known) return this.known.livemode;
      throw error;
    });
    this.known = { livemode, until: this.now() + KNOWN_FOR_MS };
    return livemode;
  }
}

/** Asks one holder after the other. Rejects as the last of them does. */
export async function askForMode(rpc: Pick<RpcClient, 'request'>): Promise<boolean> {
  let reason: unknown;
  for (const holder of HOLDERS) {
    try {
      const answer = await rpc.request<unknown>(secretListSubject(holder), null, { timeoutMs: ANSWER_MS, traced: false });
      return isLive(ProcessSecrets.parse(answer));
    } catch (error) {
      reason = error;
    }
  }
  throw reason;
}

function isLive({ service, secrets }: ProcessSecrets): boolean {
  const key = secrets.find(({ name }) => name === 'STRIPE_SECRET_KEY');
  if (!key) throw new Error(`Bug: ${service} has no key of Stripe`);
  return key.kind?.endsWith('_live') ?? false;
}
