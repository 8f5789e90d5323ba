import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { RunView } from '@tidegate/contracts/responses';
import { tidegate } from './console.js';

const run: RunView = {
  id: 'rec_1',
  object: 'reconciliation_run',
  trigger: 'operator',
  every_tenant: true,
  status: 'running',
  mode: 'report',
  start_date: '2026-11-19',
  end_date: '2026-11-22',
  progress: { pages: 1, objects: 1, percent: 10, phase: 'waiting' },
  counts: {},
  comparison: null,
  reason: 'a job',
  created_at: '2026-11-22T02:00:00.000Z',
  finished_at: null,
};
const json = (response: ServerResponse, status: number, body: unknown) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

/** What the gateway does at each look at the run, the last one from then on. */
let looks: ((response: ServerResponse) => void)[];
let begun: number;
const running = (response: ServerResponse) => void json(response, 200, run);
const succeeded = (response: ServerResponse) => void json(response, 200, { ...run, status: 'succeeded', finished_at: run.created_at });
const replaced = (response: ServerResponse) => void response.destroy();
const behindIsAway = (response: ServerResponse) =>
  void json(response, 503, { code: 'service.unavailable', title: 'Away', detail: 'reconciliation does not answer', request_id: 'req_1' });
const unknown = (response: ServerResponse) =>
  void json(response, 404, { code: 'not_found', title: 'Not found', detail: 'no run', request_id: 'req_1' });

const server = createServer((request, response) => {
  if (request.method === 'POST') begun += 1;
  if (request.method === 'POST') return void json(response, 201, run);
  if (request.url?.includes('/discrepancies')) return void json(response, 200, { data: [], has_more: false, next_cursor: null });
  (looks.length > 1 ? looks.shift()! : looks[0]!)(response);
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  begun = 0;
});
const job = () =>
  tidegate('reconcile run --every-tenant --start-date 3d --reason "a job"', {
    env: { TIDEGATE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, TIDEGATE_API_KEY: 'own' },
  });

describe('A run that is waited for', () => {
  it('is waited for on, when a gateway is replaced or reconciliation does not answer for a moment', async () => {
    looks = [running, replaced, behindIsAway, running, succeeded];
    const { exitCode, err } = await job();
    expect([exitCode, err, begun]).toEqual([0, '', 1]);
  });

  it('that is not there ends the waiting at once', async () => {
    looks = [running, unknown];
    const { exitCode, err } = await job();
    expect([exitCode, err, begun]).toEqual([1, expect.stringContaining('no run'), 1]);
  });
});
