import { type ProblemCode, Problem, PROBLEMS } from '@tidegate/contracts/problem';
import { ApiKeyView } from '@tidegate/contracts/ops/api-keys';
import { TenantView } from '@tidegate/contracts/ops/tenants';
import { DiscrepancyView, PaymentView, ReceiptView, RefundView, RunView, Timeline, WebhookEventView } from '@tidegate/contracts/responses';
import { z } from 'zod';
import { SCOPES } from '../api-key/scopes.js';
import { type Endpoint, problemsOf } from '../http/endpoint.js';

type Json = Record<string, unknown>;

/** What answers are made of, by the name it has in the document. */
const views = z.registry<{ id: string }>();
for (const [id, view] of Object.entries({
  PaymentView,
  RefundView,
  Timeline,
  ReceiptView,
  RunView,
  DiscrepancyView,
  WebhookEventView,
  TenantView,
  ApiKeyView,
}))
  views.add(view, { id: id.replace(/View$/, '') });

/** The OpenAPI 3.1 document of the REST face, from the same objects that serve and check it. */
export function openApiDocument(endpoints: readonly Endpoint[]): Json {
  const paths: Record<string, Json> = {};
  const schemas: Json = { Problem: jsonSchema(Problem, 'output') };
  for (const endpoint of endpoints)
    paths[endpoint.path] = { ...paths[endpoint.path], [endpoint.method.toLowerCase()]: operation(endpoint, schemas) };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tidegate',
      version: '1',
      description:
        'Takes Stripe payments and keeps the money right while things fail. Amounts are integers in the minor unit of the currency. Any 5xx means: the outcome is unknown, try again with the same Idempotency-Key.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(endpoints.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas,
      securitySchemes: {
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          description: `An API key \`tg_test_…\` or \`tg_live_…\` with the scope that a route names.\n\n${Object.entries(SCOPES)
            .map(([scope, meaning]) => `- \`${scope}\`: ${meaning}`)
            .join('\n')}`,
        },
        streamToken: {
          type: 'apiKey',
          in: 'query',
          name: 'token',
          description:
            'A token `tg_stream_…` of `POST /v1/billing/stream-tokens`, for browsers, which cannot set headers on an EventSource.',
        },
      },
    },
  };
}

function operation(endpoint: Endpoint, schemas: Json): Json {
  return {
    operationId: endpoint.id,
    tags: [endpoint.tag],
    summary: endpoint.summary,
    description: [endpoint.description, `Needs the scope \`${endpoint.scope}\`.`].filter(Boolean).join(' '),
    security: endpoint.eventStream ? [{ apiKey: [] }, { streamToken: [] }] : [{ apiKey: [] }],
    'x-scope': endpoint.scope,
    parameters: parameters(endpoint),
    ...(endpoint.body
      ? {
          requestBody: {
            required: isRequired(endpoint.body),
            content: { 'application/json': { schema: jsonSchema(endpoint.body, 'input') } },
          },
        }
      : {}),
    responses: { ...answers(endpoint, schemas), ...problems(endpoint) },
  };
}

function parameters(endpoint: Endpoint): Json[] {
  const inPath = Object.entries(endpoint.params).map(([name, shape]) => ({
    name,
    in: 'path',
    required: true,
    schema: jsonSchema(shape, 'output'),
  }));
  const inQuery = Object.entries(endpoint.query?.shape ?? {}).map(([name, shape]) => {
    const { description, ...schema } = jsonSchema(shape as z.ZodType, 'output');
    return {
      name,
      in: 'query',
      required: !(shape as z.ZodType).safeParse(undefined).success,
      ...(description ? { description } : {}),
      schema,
    };
  });
  const headers: Json[] = [];
  if (endpoint.idempotencyKey !== 'none') {
    headers.push({
      name: 'Idempotency-Key',
      in: 'header',
      required: endpoint.idempotencyKey === 'required',
      description: 'New for each thing you want done, the same when you try again.',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    });
  }
  if (endpoint.respondAsync)
    headers.push({
      name: 'Prefer',
      in: 'header',
      required: false,
      description: '`respond-async`: answer 202 and queue while Stripe is away.',
      schema: { type: 'string' },
    });
  if (endpoint.eventStream)
    headers.push({
      name: 'Last-Event-ID',
      in: 'header',
      required: false,
      description: 'The id of the last event that was seen: the stream goes on behind it.',
      schema: { type: 'string' },
    });
  return [...inPath, ...inQuery, ...headers];
}

const ANSWER_HEADERS = {
  'x-request-id': { description: 'Names this request in our logs.', schema: { type: 'string' } },
  'trace-id': { description: 'The trace of this request.', schema: { type: 'string' } },
};

/** Codes that, besides all of status 503, pass by themselves. */
const PASSING: ReadonlySet<ProblemCode> = new Set(['idempotency.in_progress', 'payments.in_progress']);
const RETRY_AFTER = {
  'retry-after': { description: 'Seconds after which to try again, where we can tell.', schema: { type: 'integer', minimum: 1 } },
};
const passes = (code: ProblemCode): boolean => PROBLEMS[code].status === 503 || PASSING.has(code);

function answers(endpoint: Endpoint, schemas: Json): Json {
  return Object.fromEntries(
    Object.entries(endpoint.answers).map(([status, { description, schema, contentType }]) => [
      status,
      {
        description,
        headers: ANSWER_HEADERS,
        content: {
          [contentType ?? 'application/json']: { schema: schema ? shared(schema, schemas) : { type: 'string', format: 'binary' } },
        },
      },
    ]),
  );
}

/** The schema of an answer; the views in it go to the components of the document. */
function shared(schema: z.ZodType, schemas: Json): Json {
  const { $defs, ...json } = jsonSchema(schema, 'output');
  const own = $defs as Record<string, Json> | undefined;
  for (const [name, definition] of Object.entries(own ?? {})) {
    const { id: _, ...plain } = definition;
    schemas[name] = toComponents(plain);
  }
  return toComponents(json);
}

function toComponents(json: Json): Json {
  return JSON.parse(JSON.stringify(json).replaceAll('"#/$defs/', '"#/components/schemas/')) as Json;
}

function problems(endpoint: Endpoint): Json {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of problemsOf(endpoint)) byStatus.set(PROBLEMS[code].status, [...(byStatus.get(PROBLEMS[code].status) ?? []), code]);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('\n\n'),
        'x-codes': codes,
        headers: codes.some(passes) ? { ...ANSWER_HEADERS, ...RETRY_AFTER } : ANSWER_HEADERS,
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
    metadata: views,
    // The registry of the views takes the place of the one in which zod keeps what is said of each field.
    override({ zodSchema, jsonSchema: of }) {
      const description = z.globalRegistry.get(zodSchema)?.description;
      if (description !== undefined) of.description = description;
    },
  }) as Json;
  return json;
}

const isRequired = (body: z.ZodType): boolean => !body.safeParse({}).success;
