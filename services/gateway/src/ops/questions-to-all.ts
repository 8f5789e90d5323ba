import { OutboxStatus, outboxStatusSubject, type OutboxStatusView } from '@tidegate/contracts/ops/outbox-status';
import { ProcessSecrets, type SecretFingerprintsView, secretListSubject } from '@tidegate/contracts/ops/secrets';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { STREAM_OF_OWNER } from '@tidegate/contracts/subjects';
import type { RpcClient } from '@tidegate/messaging/rpc';
import { SERVICES } from '@tidegate/messaging/topology';
import { HERE, type Here } from '../http/here.js';

/** How long every process gets to answer; nobody knows how many there are. */
const ALL_MS = 1000;
const ONE_MS = 3000;

/** Questions that go to every service at once; a service that is away is named, and spoils nothing. */
export function questionsToAll(rpc: Pick<RpcClient, 'request' | 'requestAll'>, broker: { connected: boolean }): Here {
  return {
    [HERE.outboxStatus]: async () => {
      const owners = Object.keys(STREAM_OF_OWNER);
      const answers = await Promise.all(owners.map((owner) => ask(rpc, owner)));
      const data = answers.filter((one) => one !== null);
      const silent = owners.filter((_, i) => answers[i] === null);
      return jsonReply(200, {
        object: 'outbox_status',
        broker: broker.connected ? 'connected' : 'away',
        data,
        silent,
      } satisfies OutboxStatusView);
    },
    [HERE.secretFingerprints]: async () => {
      const answers = await Promise.all(SERVICES.map((service) => rpc.requestAll<unknown>(secretListSubject(service), null, ALL_MS)));
      const data = answers.map((one) => one.map((raw) => ProcessSecrets.parse(raw)).sort((a, b) => (a.instance < b.instance ? -1 : 1)));
      const silent = SERVICES.filter((_, i) => data[i]?.length === 0);
      return jsonReply(200, { object: 'secret_fingerprints', data: data.flat(), silent } satisfies SecretFingerprintsView);
    },
  };
}

async function ask(rpc: Pick<RpcClient, 'request'>, owner: string): Promise<OutboxStatus | null> {
  try {
    return OutboxStatus.parse(await rpc.request(outboxStatusSubject(owner), null, { timeoutMs: ONE_MS }));
  } catch {
    return null;
  }
}
