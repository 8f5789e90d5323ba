import type { Json } from './document.js';
import { STYLE } from './page-style.js';

interface Channel {
  address: string;
  description: string;
  'x-stream': string;
  'x-consumers': string[];
}

interface Message {
  payload: { allOf: [Json, { properties: { data: { $ref: string } } }] };
  examples: [{ payload: unknown }];
}

interface Document {
  info: { title: string; description: string };
  channels: Record<string, Channel>;
  components: { messages: Record<string, Message>; schemas: Record<string, Json> };
}

/** An AsyncAPI document of ours as one page of HTML that needs nothing else: every subject with what it means, its fields and an example. */
export function asyncApiPage(document: Json): string {
  const { info, channels, components } = document as unknown as Document;
  const streams = [...new Set(Object.values(channels).map((channel) => channel['x-stream']))];
  const of = (stream: string) => Object.values(channels).filter((channel) => channel['x-stream'] === stream);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(info.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<nav>
<a class="home" href="#top">${text(info.title)}</a>
${streams.map((stream) => menu(stream, of(stream))).join('\n')}
<details open><summary>Fields</summary><ul>
${Object.keys(components.schemas)
  .map((name) => `<li><a href="#${anchor('fields', name)}">${text(name)}</a></li>`)
  .join('\n')}
</ul></details>
</nav>
<main id="top">
<h1>${text(info.title)}</h1>
${prose(info.description)}
${streams.map((stream) => section(stream, of(stream), components)).join('\n')}
<section><h2>Fields</h2>
<p>A name with a <b>?</b> may be missing; everything else is always there, perhaps as null.</p>
${Object.entries(components.schemas)
  .map(([name, schema]) => fieldsOf(name, schema))
  .join('\n')}
</section>
</main>
</body>
</html>
`;
}

function menu(stream: string, channels: readonly Channel[]): string {
  const links = channels.map(({ address }) => `<li><a href="#${anchor('subject', address)}">${text(short(address))}</a></li>`);
  return `<details open><summary>${text(stream)}</summary><ul>\n${links.join('\n')}\n</ul></details>`;
}

function section(stream: string, channels: readonly Channel[], components: Document['components']): string {
  const consumers = channels[0]?.['x-consumers'] ?? [];
  const readBy =
    consumers.length > 0 ? `Read by ${consumers.map((one) => `<code>${text(one)}</code>`).join(', ')}.` : 'Read by nobody inside Tidegate.';
  return `<section><h2>${text(stream)}</h2>
<p>${readBy}</p>
${channels.map((channel) => article(channel, components)).join('\n')}
</section>`;
}

function article({ address, description }: Channel, { messages }: Document['components']): string {
  const message = messages[address];
  if (!message) throw new Error(`Bug: ${address} has no message`);
  const schema = nameIn(message.payload.allOf[1].properties.data.$ref);
  return `<article id="${anchor('subject', address)}">
<h3><code>${text(address)}</code></h3>
<p>${text(description)}</p>
<p class="data"><span>data</span> <a href="#${anchor('fields', schema)}">${text(schema)}</a></p>
<details><summary>Example</summary><pre>${text(JSON.stringify(message.examples[0].payload, null, 2))}</pre></details>
</article>`;
}

function fieldsOf(name: string, schema: Json): string {
  return `<article id="${anchor('fields', name)}"><h3>${text(name)}</h3>${table(schema)}</article>`;
}

/** The fields of an object, those of objects within it below their own. */
function table(schema: Json): string {
  const alternatives = (schema['anyOf'] ?? schema['oneOf']) as Json[] | undefined;
  if (alternatives) return alternatives.map((one) => `<div class="either">${table(one)}</div>`).join('\n');
  const rows = rowsOf(schema, '');
  return rows.length > 0
    ? `<table><tr><th>field</th><th>what it is</th><th>what it says</th></tr>\n${rows.join('\n')}</table>`
    : `<p>${kindOf(schema)}</p>`;
}

function rowsOf(schema: Json, prefix: string): string[] {
  const required = (schema['required'] ?? []) as string[];
  return Object.entries((schema['properties'] ?? {}) as Record<string, Json>).flatMap(([name, field]) => {
    const optional = required.includes(name) ? '' : '<b>?</b>';
    const own = `<tr><td><code>${text(prefix + name)}</code>${optional}</td><td>${kindOf(field)}</td><td>${text((field['description'] as string) ?? '')}</td></tr>`;
    const [within, suffix] = insideOf(field);
    return [own, ...(within ? rowsOf(within, `${prefix}${name}${suffix}.`) : [])];
  });
}

/** The object whose fields stand below this one's: itself, the one that may be null, or each of a list. */
function insideOf(field: Json): [Json | null, string] {
  const one = notNull(field);
  if (one['properties']) return [one, ''];
  const items = one['items'] as Json | undefined;
  return items?.['properties'] ? [items, '[]'] : [null, ''];
}

function kindOf(field: Json): string {
  const one = notNull(field);
  const orNull = one === field ? '' : ' <i>or null</i>';
  if ('const' in one) return `<code>${text(JSON.stringify(one['const']))}</code>${orNull}`;
  if (Array.isArray(one['enum'])) return one['enum'].map((value) => `<code>${text(String(value))}</code>`).join(' ') + orNull;
  if (Array.isArray(one['anyOf'])) return `${(one['anyOf'] as Json[]).map(kindOf).join(' or ')}${orNull}`;
  if (one['type'] === 'array') return `list of ${kindOf((one['items'] ?? {}) as Json)}${orNull}`;
  if (one['type'] === 'object' && one['additionalProperties']) return `map of ${kindOf(one['additionalProperties'] as Json)}${orNull}`;
  const format = one['format'] === undefined ? '' : ` (${text(String(one['format']))})`;
  return `${text(String(one['type'] ?? 'anything'))}${format}${orNull}`;
}

/** What is left of `X or null`; the field itself when it cannot be null. */
function notNull(field: Json): Json {
  const either = field['anyOf'] as Json[] | undefined;
  const rest = either?.filter((one) => one['type'] !== 'null');
  if (either && rest && rest.length < either.length) return rest.length === 1 ? (rest[0] as Json) : { anyOf: rest };
  const types = field['type'];
  return Array.isArray(types) && types.includes('null') ? { ...field, type: types.find((type) => type !== 'null') as string } : field;
}

/** Paragraphs and `code`. */
const prose = (words: string): string =>
  words
    .split('\n\n')
    .map((paragraph) => `<p>${text(paragraph).replaceAll(/`([^`]+)`/g, '<code>$1</code>')}</p>`)
    .join('\n');

const short = (subject: string): string => subject.replace(/^\w+\.events\./, '').replace(/\.v1$/, '');
const nameIn = (reference: string): string => reference.slice('#/components/schemas/'.length);
const anchor = (kind: string, name: string): string => `${kind}-${name.replaceAll(/[^\w.-]/g, '-')}`;

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const text = (value: string): string => value.replaceAll(/[&<>"]/g, (character) => ESCAPES[character] ?? character);
