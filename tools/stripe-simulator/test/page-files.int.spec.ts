import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
// @ts-expect-error The page's files are plain JavaScript.
import { FAULT_HELP } from '../page/fault-help.js';
import { HTTP_FAULTS, LATE_FAULTS, WEBHOOK_FAULTS } from '../src/faults/fault.js';
import { type Given, givenSimulator } from './given.js';

let given: Given;
beforeAll(async () => {
  given = await givenSimulator();
});
afterAll(() => given.end());

describe('The files of the page', () => {
  it('allow nothing from elsewhere and nothing inline', async () => {
    const answer = await fetch(given.simulator.url);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
    const html = await answer.text();
    expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(html).not.toMatch(/<script(?![^>]*src=)|<style| style=| on\w+=/);
  });

  it.each(['/__page/nothing.js', '/__page/..%2Fpackage.json', '/__page/object?id=nothing', '/__page/.hidden.js', '/__page/'])(
    'answer 404 for %s',
    async (path) => {
      expect((await fetch(`${given.simulator.url}${path}`)).status).toBe(404);
    },
  );

  it('show no secret of an endpoint', async () => {
    const { id, secret } = await given.stripe.webhookEndpoints.create({ url: given.receiver.url, enabled_events: ['*'] });
    expect(await (await fetch(`${given.simulator.url}/__page/object?id=${id}`)).text()).not.toContain(secret);
  });

  it('explain every fault', () => {
    const explained = Object.keys(FAULT_HELP as Record<string, string>);
    expect(explained.sort()).toEqual([...HTTP_FAULTS, ...LATE_FAULTS, ...WEBHOOK_FAULTS].sort());
  });
});
