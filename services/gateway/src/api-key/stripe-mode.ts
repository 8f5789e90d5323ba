import { ProcessSecrets, secretListSubject } from '@tidegate/contracts/ops/secrets';
import type { RpcClient } from '@tidegate/messaging/rpc';

/** What is known is asked for again beside a request when it is older; a service takes another mode up only when it is started anew. */
const FRESH_MS = 5000;
/** A request waits for the answer when it is older than that. */
const STALE_MS = 60_000;
const ANSWER_MS = 1000;
/** Who has a key of Stripe, the one that moves money first. */
const HOLDERS = ['payments', 'webhooks', 'reconciliation'];

/** Whether the key of Stripe, which the gateway has not, moves real money: those who have it say of what kind it is. */
export class StripeMode {
  private known: { livemode: boolean; at: number } | undefined;
  private asking: Promise<boolean> | undefined;

  constructor(
    private readonly ask: () => Promise<boolean>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** While nobody answers it is what was said last; rejects when nobody has said anything yet. */
  async livemode(): Promise<boolean> {
    const { known } = this;
    if (!known) return this.askedOnce();
    const age = this.now() - known.at;
    if (age < FRESH_MS) return known.livemode;
    const asked = this.askedOnce().catch(() => {
      this.known = { ...known, at: this.now() };
      return known.livemode;
    });
    return age < STALE_MS ? known.livemode : asked;
  }

  private askedOnce(): Promise<boolean> {
    this.asking ??= this.ask()
      .then((livemode) => {
        this.known = { livemode, at: this.now() };
        return livemode;
      })
      .finally(() => (this.asking = undefined));
    return this.asking;
  }
}

/** Asks one holder after the other; one that hangs keeps requests waiting for a second, not for the usual time. Rejects as the last of them does. */
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
