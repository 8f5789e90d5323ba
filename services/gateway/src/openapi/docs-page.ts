import { PROBLEMS } from '@tidegate/contracts/problem';
import { z } from 'zod';
import { SCOPES } from '../api-key/scopes.js';
import { type Endpoint, problemsOf } from '../http/endpoint.js';

/** The documentation as one page of plain HTML: no script, nothing from elsewhere. */
export function docsPage(endpoints: readonly Endpoint[]): string {
  const tags = [...new Set(endpoints.map(({ tag }) => tag))];
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Tidegate API</title><style>${STYLE}</style></head>
<body>
<h1>Tidegate API</h1>
<p>The machine-readable form is <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1). Amounts are integers in the minor unit of the currency, times are RFC 3339 in UTC.
Any 5xx means: the outcome is unknown, try again with the same <code>Idempotency-Key</code>.</p>
<nav><ul>${endpoints.map((one) => `<li><a href="#${one.id}"><code>${one.method} ${escaped(one.path)}</code></a></li>`).join('')}</ul></nav>
<h2>Keys and scopes</h2>
<p><code>Authorization: Bearer tg_test_…</code>. A key carries scopes:</p>
<dl>${Object.entries(SCOPES)
    .map(([scope, meaning]) => `<dt><code>${scope}</code></dt><dd>${escaped(meaning)}</dd>`)
    .join('')}</dl>
${tags
  .map(
    (tag) =>
      `<h2>${escaped(tag)}</h2>${endpoints
        .filter((one) => one.tag === tag)
        .map(section)
        .join('\n')}`,
  )
  .join('\n')}
<h2 id="problems">Problems</h2>
<p>Errors are <code>application/problem+json</code>; <code>code</code> is stable.</p>
<table><tr><th>Status</th><th>Code</th><th>Meaning</th></tr>${Object.entries(PROBLEMS)
    .map(([code, { status, title }]) => `<tr><td>${status}</td><td><code>${code}</code></td><td>${escaped(title)}</td></tr>`)
    .join('')}</table>
</body></html>
`;
}

function section(endpoint: Endpoint): string {
  return `<section id="${endpoint.id}">
<h3><code>${endpoint.method} ${escaped(endpoint.path)}</code></h3>
<p>${escaped(endpoint.summary)}. ${escaped(endpoint.description ?? '')} Scope <code>${endpoint.scope}</code>.${endpoint.idempotencyKey === 'required' ? ' Needs an <code>Idempotency-Key</code>.' : ''}</p>
${endpoint.query ? `<h4>Query</h4>${fields(endpoint.query)}` : ''}
${endpoint.body ? `<h4>Body</h4>${fields(endpoint.body)}` : ''}
<h4>Answers</h4>
<ul>${Object.entries(endpoint.answers)
    .map(
      ([status, { description, contentType }]) =>
        `<li><code>${status}</code> ${escaped(description)}${contentType ? ` (${contentType})` : ''}</li>`,
    )
    .join('')}
<li>${problemsOf(endpoint)
    .map((code) => `<code>${PROBLEMS[code].status}</code> ${code}`)
    .join(', ')}</li></ul>
</section>`;
}

function fields(schema: z.ZodType): string {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as {
    properties?: Record<string, object>;
    required?: string[];
  };
  const rows = Object.entries(json.properties ?? {}).map(
    ([name, shape]) =>
      `<tr><td><code>${escaped(name)}</code>${json.required?.includes(name) ? ' <b>required</b>' : ''}</td><td><code>${escaped(JSON.stringify(shape))}</code></td></tr>`,
  );
  return `<table>${rows.join('')}</table>`;
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b2733}
code{font-family:ui-monospace,monospace;font-size:.9em;overflow-wrap:anywhere}section{border-top:1px solid #d5dde5;margin-top:1.5rem}
table{border-collapse:collapse;width:100%}td,th{border:1px solid #d5dde5;padding:.3rem .5rem;text-align:left;vertical-align:top}nav ul{columns:2;list-style:none;padding:0}`;
