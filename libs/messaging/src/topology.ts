import { secretListSubject } from '@tidegate/contracts/ops/secrets';
import { type Owner, outboxReadSubject, STREAM_OF_OWNER, type StreamName, SUBJECT_PREFIX_OF_OWNER } from '@tidegate/contracts/subjects';

export const SERVICES = ['gateway', 'payments', 'webhooks', 'reconciliation', 'receipts'] as const;
export type Service = (typeof SERVICES)[number];

export interface StreamSpec {
  stream: StreamName;
  owner: Owner;
  /** The only subjects it captures; request/reply is never among them. */
  subjects: string[];
}

export const STREAMS: readonly StreamSpec[] = (Object.keys(STREAM_OF_OWNER) as Owner[]).map((owner) => ({
  stream: STREAM_OF_OWNER[owner],
  owner,
  subjects: [`${SUBJECT_PREFIX_OF_OWNER[owner]}.>`],
}));

/** A stream of one tiny message, beside the one that carries events: consumers of events never see what a canary stores. */
export interface CanarySpec {
  stream: string;
  subject: string;
}

export const canaryOf = (owner: Owner): CanarySpec => ({ stream: `${owner.toUpperCase()}_CANARY`, subject: `${owner}.canary` });

export interface DurableSpec {
  /** `<service>-<purpose>` */
  durable: string;
  stream: StreamName;
  /** One of SERVICES, or a consumer outside Tidegate. */
  service: string;
}

/** Who consumes what. A durable carries no filter: a skipped subject would look like a gap in the positions. */
export const DURABLES: readonly DurableSpec[] = [
  { durable: 'payments-stripe-events', stream: 'STRIPE_EVENTS', service: 'payments' },
  { durable: 'payments-receipts', stream: 'RECEIPTS_EVENTS', service: 'payments' },
  { durable: 'receipts-payments', stream: 'PAYMENTS_EVENTS', service: 'receipts' },
  { durable: 'reconciliation-payments', stream: 'PAYMENTS_EVENTS', service: 'reconciliation' },
  { durable: 'reconciliation-stripe-events', stream: 'STRIPE_EVENTS', service: 'reconciliation' },
  { durable: 'reconciliation-receipts', stream: 'RECEIPTS_EVENTS', service: 'reconciliation' },
  { durable: 'webhooks-outcomes-payments', stream: 'PAYMENTS_EVENTS', service: 'webhooks' },
  { durable: 'webhooks-outcomes-reconciliation', stream: 'RECONCILIATION_EVENTS', service: 'webhooks' },
];

/** Who follows which stream with an ephemeral consumer, from now on: see StreamFollower. */
export const FOLLOWERS: readonly { service: Service; stream: StreamName }[] = [{ service: 'gateway', stream: 'PAYMENTS_EVENTS' }];

/** Request/reply subjects that each service may call, besides outbox.read of the streams it consumes. */
export const RPC_CALLS: Record<Service, readonly string[]> = {
  gateway: [secretListSubject('gateway'), 'payments.rpc.>', 'webhooks.rpc.>', 'reconciliation.rpc.>', 'receipts.rpc.>'],
  payments: ['gateway.rpc.tenant.get.v1'],
  webhooks: ['gateway.rpc.tenant.get.v1'],
  reconciliation: [
    'gateway.rpc.tenant.get.v1',
    'payments.rpc.payment.*.v1',
    'payments.rpc.usage.compare.v1',
    'payments.rpc.usage.compare_invoices.v1',
    'payments.rpc.usage.repair.v1',
    'receipts.rpc.receipt.*.v1',
  ],
  receipts: ['gateway.rpc.tenant.get.v1', 'payments.rpc.payment.get.v1'],
};

export interface TopologyOptions {
  /** Copies of each stream: 1 on a laptop, 3 in a cluster. */
  replicas: number;
  /** Limit of each stream's store; beyond it the broker refuses new messages and consumers live on outbox.read. */
  maxBytes: number;
}

export const LAPTOP_TOPOLOGY: TopologyOptions = { replicas: 1, maxBytes: 256 * 1024 ** 2 };

export const durablesOf = (service: string): readonly DurableSpec[] => DURABLES.filter((one) => one.service === service);

export const streamOf = (owner: string): StreamSpec | undefined => STREAMS.find((one) => one.owner === owner);

/** The owner whose outbox a stream carries. */
export function ownerOf(stream: StreamName): Owner {
  const spec = STREAMS.find((one) => one.stream === stream);
  if (!spec) throw new Error(`Bug: no service owns ${stream}`);
  return spec.owner;
}

/** Consumer without a durable name that a rebuild reads the stream with; the server removes it after its use. */
export const rebuildConsumerOf = (durable: string): string => `${durable}-rebuild`;

/** Replies to a service's requests come here; no other service may listen. Consumers outside Tidegate share one root that every owner may answer to. */
export const inboxPrefixOf = (service: string): string =>
  (SERVICES as readonly string[]).includes(service) ? `_INBOX_${service}` : `${OUTSIDE_INBOX}.${service}`;
const OUTSIDE_INBOX = '_INBOX_OUTSIDE';

/**
 * The verb of the JetStream API for an ephemeral consumer whose name the server chooses. It refuses a durable name here, and what it creates delivers to the inbox of who asks: with
 * this subject alone nobody can touch or drain the durable of another service.
 */
export const followRequest = (stream: StreamName): string => `CONSUMER.CREATE.${stream}`;

/** All subjects that a service may call. */
export function callsOf(service: Service): string[] {
  return [...RPC_CALLS[service], ...durablesOf(service).map((one) => outboxReadSubject(ownerOf(one.stream)))];
}

export interface NatsPermissions {
  publish: { allow: string[] };
  subscribe: { allow: string[] };
}

/**
 * What the NATS user of a service may do: publish its own events and canary, create exactly its own streams and durables (deleting none), consume and acknowledge
 * these, follow what FOLLOWERS says, call the subjects of its topology, answer its callers, and listen on its own inbox and request subjects.
 */
export function natsPermissions(service: string): NatsPermissions {
  const known = SERVICES.find((one) => one === service);
  if (known === undefined) throw new Error(`There is no service "${service}"`);
  const allowed = [
    '$JS.API.INFO',
    ...ownStream(known),
    ...durablesOf(known).flatMap((one) => consuming(one.stream, one.durable)),
    ...FOLLOWERS.filter((one) => one.service === known).map((one) => `$JS.API.${followRequest(one.stream)}`),
    ...callsOf(known),
    ...replies(known),
  ];
  return {
    publish: { allow: [...new Set(allowed)] },
    subscribe: { allow: [`${inboxPrefixOf(known)}.>`, `${known}.rpc.>`] },
  };
}

/** What the NATS user of a consumer outside Tidegate needs: its own durables, and outbox.read of their owners. */
export function natsPermissionsOfConsumer(service: string, durables: readonly DurableSpec[]): NatsPermissions {
  if ((SERVICES as readonly string[]).includes(service)) throw new Error(`${service} is a service of Tidegate: see natsPermissions`);
  const allowed = [
    '$JS.API.INFO',
    ...durables.flatMap((one) => [...consuming(one.stream, one.durable), outboxReadSubject(ownerOf(one.stream))]),
  ];
  return { publish: { allow: [...new Set(allowed)] }, subscribe: { allow: [`${inboxPrefixOf(service)}.>`] } };
}

function ownStream(service: Service): string[] {
  const own = streamOf(service);
  if (!own) return [];
  const canary = canaryOf(own.owner);
  return [
    `${SUBJECT_PREFIX_OF_OWNER[own.owner]}.>`,
    ...['CREATE', 'UPDATE', 'INFO', 'MSG.GET'].map((verb) => `$JS.API.STREAM.${verb}.${own.stream}`),
    canary.subject,
    ...['CREATE', 'UPDATE'].map((verb) => `$JS.API.STREAM.${verb}.${canary.stream}`),
  ];
}

function consuming(stream: string, durable: string): string[] {
  const rebuild = rebuildConsumerOf(durable);
  return [
    `$JS.API.STREAM.INFO.${stream}`,
    ...['CREATE', 'INFO', 'MSG.NEXT'].map((verb) => `$JS.API.CONSUMER.${verb}.${stream}.${durable}`),
    `$JS.ACK.${stream}.${durable}.>`,
    ...['CREATE', 'INFO', 'MSG.NEXT', 'DELETE'].map((verb) => `$JS.API.CONSUMER.${verb}.${stream}.${rebuild}`),
  ];
}

function replies(service: Service): string[] {
  const callers = SERVICES.filter((caller) => callsOf(caller).some((subject) => subject.startsWith(`${service}.rpc.`)));
  return [...callers.map((caller) => `${inboxPrefixOf(caller)}.>`), ...(streamOf(service) ? [`${OUTSIDE_INBOX}.>`] : [])];
}
