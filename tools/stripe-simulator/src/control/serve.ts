import { type IncomingMessage, type ServerResponse } from 'node:http';
import { jsonAnswer } from '../http/answer.js';
import { readBody } from '../http/body.js';
import { send } from '../http/transport.js';
import { servePage } from '../page/serve.js';
import { type Controls, control } from './control.js';
import { isForeign } from './foreign.js';
import { pageFor } from './pages.js';

/** Reads the JSON body and answers a control route, `/healthz` included. Pages from elsewhere are refused: one could reset the simulator. */
export async function serveControl(controls: Controls, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const text = (await readBody(request)) ?? '';
  const url = new URL(request.url ?? '/', 'http://simulator.invalid');
  if (isForeign(request)) return send(response, jsonAnswer(403, { error: 'Only pages of the simulator itself may ask for this.' }));
  if (url.pathname === '/healthz') return send(response, jsonAnswer(200, { status: 'ok' }));
  if (servePage(controls.world, request.method ?? 'GET', url, response)) return;
  const page = pageFor(controls.world, url, request.method ?? 'GET', text);
  if (page !== undefined) return send(response, page);
  const body = parse(text);
  if (body instanceof Error) return send(response, jsonAnswer(400, { error: 'The body is not JSON.' }));
  const { status, value } = control(controls, { method: request.method ?? 'GET', path: url.pathname, query: url.searchParams, body });
  send(response, jsonAnswer(status, value));
}

function parse(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    return error as Error;
  }
}
