import { readFileSync } from 'node:fs';
import { type ServerResponse } from 'node:http';
import { type Answer, jsonAnswer } from '../http/answer.js';
import { send } from '../http/transport.js';
import { type World } from '../world.js';
import { streamView } from './live.js';
import { objectView } from './object.js';

const FOLDER = new URL('../../page/', import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
};
/** Only our own files, nothing inline: what stands in the data can not run. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The page at `/`, its files and its data under `/__page/`. False when the path is none of them. */
export function servePage(world: World, method: string, url: URL, response: ServerResponse): boolean {
  if (method !== 'GET') return false;
  if (url.pathname === '/') return answer(response, file('index.html'));
  const name = /^\/__page\/([\w.-]+)$/.exec(url.pathname)?.[1];
  if (name === undefined) return false;
  if (name === 'live') {
    streamView(world, url.searchParams, response);
    return true;
  }
  if (name === 'object') {
    const found = objectView(world, url.searchParams.get('id') ?? '');
    return answer(response, found === undefined ? jsonAnswer(404, { error: 'Nothing has this id.' }) : jsonAnswer(200, found));
  }
  return answer(response, file(name));
}

function answer(response: ServerResponse, found: Answer | undefined): boolean {
  if (found !== undefined) send(response, found);
  return found !== undefined;
}

/** Read at each request: small, rare, and always what is on the disk. */
function file(name: string): Answer | undefined {
  const type = TYPES[name.split('.').at(-1) ?? ''];
  if (type === undefined || name.startsWith('.')) return undefined;
  try {
    const body = readFileSync(new URL(name, FOLDER), 'utf8');
    return { status: 200, headers: { 'Content-Type': type, 'Content-Security-Policy': POLICY, 'X-Content-Type-Options': 'nosniff' }, body };
  } catch {
    return undefined;
  }
}
