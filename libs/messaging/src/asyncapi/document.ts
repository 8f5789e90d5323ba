import { type Envelope, envelopeOf, type EventContract } from '@tidegate/contracts/envelope';
import { factOf } from '@tidegate/contracts/subjects';
import { z } from 'zod';
import { AGGREGATE_HEADER, POSITION_HEADER } from '../position-header.js';
import { DURABLES, type DurableSpec, STREAMS, type StreamSpec } from '../topology.js';

export type Json = Record<string, unknown>;

const DESCRIPTION = `Everything that Tidegate publishes on NATS JetStream. Each message is one JSON object: an envelope around the \`data\` of its subject.

Each service publishes on a stream of its own. A message has an id, and a position in its stream without holes: a consumer that keeps both takes each message once
and notices what the broker has lost (\`libs/messaging\` does that, \`examples/consumer\` shows it). Messages of one aggregate are in order; across aggregates there is none.
Fields may be added to a contract at any time; anything else is a new version under a new subject. Amounts are integers in the minor unit of the currency.`;

/** The AsyncAPI 3 document of all published messages, from the contracts and the topology themselves. https://www.asyncapi.com/docs/reference/specification/v3.0.0 */
export function asyncApiDocument(contracts: readonly EventContract[]): Json {
  const schemas = dataSchemas(contracts);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Tidegate events',
      version: '1',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: { nats: { host: 'localhost:4222', protocol: 'nats', description: 'The broker, NATS_URL.' } },
    channels: Object.fromEntries(contracts.map((contract) => [contract.subject, channel(contract)])),
    operations: Object.fromEntries(contracts.map((contract) => [`publish.${contract.subject}`, operation(contract)])),
    components: {
      schemas: { Envelope: open(z.toJSONSchema(envelopeOf(z.unknown()), OPTIONS)), Headers: HEADERS, ...schemas.components },
      messages: Object.fromEntries(contracts.map((contract) => [contract.subject, message(contract, schemas.nameOf(contract))])),
    },
  };
}

const ref = (...path: string[]): Json => ({ $ref: `#/${path.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}` });

function channel({ subject, doc }: EventContract): Json {
  const { stream, owner } = streamOf(subject);
  return {
    address: subject,
    title: factOf(subject),
    description: doc,
    servers: [ref('servers', 'nats')],
    messages: { [subject]: ref('components', 'messages', subject) },
    tags: [{ name: owner }],
    'x-stream': stream,
    'x-consumers': DURABLES.filter((one: DurableSpec) => one.stream === stream).map(({ durable }) => durable),
  };
}

function operation({ subject }: EventContract): Json {
  const { owner } = streamOf(subject);
  return {
    action: 'send',
    title: `${owner} publishes ${factOf(subject)}`,
    channel: ref('channels', subject),
    messages: [ref('channels', subject, 'messages', subject)],
  };
}

function message(contract: EventContract, schema: string): Json {
  return {
    name: contract.subject,
    title: factOf(contract.subject),
    summary: contract.doc,
    contentType: 'application/json',
    headers: ref('components', 'schemas', 'Headers'),
    payload: {
      allOf: [ref('components', 'schemas', 'Envelope'), { type: 'object', properties: { data: ref('components', 'schemas', schema) } }],
    },
    correlationId: { location: '$message.payload#/correlation_id' },
    examples: [{ name: 'example', payload: exampleOf(contract) }],
  };
}

/** A whole message, as a consumer gets it. */
export function exampleOf(contract: EventContract): Envelope {
  return {
    id: '019aa4b5-2c00-7000-8000-000000000001',
    type: factOf(contract.subject),
    version: contract.version,
    tenant: 'default',
    account: null,
    aggregate: { id: 'example', version: 1 },
    occurred_at: '2026-11-21T06:00:00.000Z',
    correlation_id: 'req_Example',
    causation_id: null,
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    data: contract.example,
  };
}

const HEADERS: Json = {
  type: 'object',
  properties: {
    'Nats-Msg-Id': { type: 'string', format: 'uuid', description: "The envelope's id." },
    [POSITION_HEADER]: {
      type: 'string',
      description: '`<epoch>:<position>` in the stream: positions have no holes; a higher epoch is a later history.',
    },
    [AGGREGATE_HEADER]: { type: 'string', description: 'Messages with the same are to be handled in order of position.' },
    traceparent: { type: 'string', description: 'W3C Trace Context, when the message was caused inside a trace.' },
  },
  required: ['Nats-Msg-Id', POSITION_HEADER, AGGREGATE_HEADER],
};

/** Contracts whose data have the same form share one schema, named after what they are about; where two forms are about the same, after the fact. */
function dataSchemas(contracts: readonly EventContract[]): { components: Json; nameOf(contract: EventContract): string } {
  const texts = new Map(contracts.map((contract) => [contract, JSON.stringify(open(z.toJSONSchema(contract.data, OPTIONS)))]));
  const formsOf = new Map<string, Set<string>>();
  for (const [contract, text] of texts) {
    const entity = entityOf(contract);
    formsOf.set(entity, (formsOf.get(entity) ?? new Set()).add(text));
  }
  const nameOfText = new Map<string, string>();
  for (const [contract, text] of texts) {
    const isOnlyForm = formsOf.get(entityOf(contract))?.size === 1;
    if (!nameOfText.has(text)) nameOfText.set(text, isOnlyForm ? entityOf(contract) : `${ownerOf(contract)}.${factOf(contract.subject)}`);
  }
  return {
    components: Object.fromEntries([...nameOfText].map(([text, name]) => [name, JSON.parse(text) as Json])),
    nameOf: (contract) => nameOfText.get(texts.get(contract) ?? '') ?? '',
  };
}

const ownerOf = ({ subject }: EventContract): string => subject.split('.')[0] ?? '';

/** `stripe.events.charge.dispute.created.v1` -> `stripe.charge.dispute`, `stripe.events.other.v1` -> `stripe.other`. */
const entityOf = (contract: EventContract): string => `${ownerOf(contract)}.${factOf(contract.subject).replace(/\.\w+$/, '')}`;

function streamOf(subject: string): StreamSpec {
  const found = STREAMS.find(({ subjects }) => subjects.some((pattern) => subject.startsWith(pattern.slice(0, -1))));
  if (!found) throw new Error(`Bug: no stream captures ${subject}`);
  return found;
}

/** AsyncAPI's own schema dialect is draft 7 with additions. */
const OPTIONS = { target: 'draft-7', io: 'output', unrepresentable: 'any' } as const;

/** Fields may be added to any object, so none is closed. */
function open(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(open);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key, one]) => key !== '$schema' && !(key === 'additionalProperties' && one === false));
  return Object.fromEntries(entries.map(([key, one]) => [key, open(one)]));
}
