import { outboxStatusSubject } from '@tidegate/contracts/ops/outbox-status';
import { type ProcessSecrets, type SecretFingerprint, secretListSubject } from '@tidegate/contracts/ops/secrets';
import type { Db } from '@tidegate/database/database';
import type { Broker } from '@tidegate/messaging/connection';
import { readOutboxStatus } from '@tidegate/messaging/outbox-status';
import { type RpcServer, serveRpc } from '@tidegate/messaging/rpc';
import { streamOf } from '@tidegate/messaging/topology';
import { fingerprintOf, kindOf, Secret } from './secret.js';
import type { Startable } from './service-parts.js';

export interface OperatorQuestionsDeps {
  service: string;
  instance: string;
  config: object;
  broker: Broker;
  db: Db;
}

/** Answers what an operator asks of every service: which secrets each process uses, and how far the service's outbox is. */
export function operatorQuestions({ service, instance, config, broker, db }: OperatorQuestionsDeps): Startable {
  let servers: RpcServer[] = [];
  return {
    start: async () => {
      // A queue of its own: every process answers.
      servers = [serveRpc(broker, secretListSubject(service), instance, async () => secretsOf({ service, instance, config }))];
      if (streamOf(service)) servers.push(serveRpc(broker, outboxStatusSubject(service), service, () => readOutboxStatus(db, service)));
    },
    stop: async () => void (await Promise.all(servers.map((one) => one.stop()))),
  };
}

/** The secrets among the settings as they are now; one with several values has one line for each. */
export function secretsOf({ service, instance, config }: Pick<OperatorQuestionsDeps, 'service' | 'instance' | 'config'>): ProcessSecrets {
  const secrets = Object.entries(config).flatMap(([name, secret]): SecretFingerprint[] => {
    if (!(secret instanceof Secret)) return [];
    const source = secret.file === undefined ? 'environment' : 'file';
    const values = [secret.value as unknown].flat().map(String);
    return values.map((value) => ({ name, fingerprint: fingerprintOf(value), kind: kindOf(value), source }));
  });
  return { service, instance, secrets };
}
