import { describe, expect, it } from '@jest/globals';
import { FINGERPRINT_KEY, type Endpoint } from '../stripe-setup/setup.decide.js';
import { findingsOf, judgeEndpoints } from './endpoints.decide.js';

const WANTED = { api_version: '2026-10-28.endive', events: ['charge.failed', 'charge.succeeded'], secrets: ['sha256:1'] };

const endpoint = (changes: Partial<Endpoint> = {}): Endpoint => ({
  id: 'we_1',
  url: 'https://hooks.example.com/webhooks/stripe',
  status: 'enabled',
  api_version: WANTED.api_version,
  enabled_events: WANTED.events,
  metadata: { [FINGERPRINT_KEY]: 'sha256:1' },
  created: 1,
  ...changes,
});

describe('An endpoint of Stripe', () => {
  it('that is as it should be has nothing against it', () => {
    expect(judgeEndpoints([endpoint()], WANTED)).toEqual([
      {
        id: 'we_1',
        url: endpoint().url,
        status: 'enabled',
        api_version: WANTED.api_version,
        events: 2,
        secret: 'used',
        ours: true,
        drift: [],
      },
    ]);
  });

  it('of another program is shown and not judged', () => {
    const other = endpoint({ id: 'we_2', url: 'https://crm.example.com/stripe', api_version: null, metadata: {}, enabled_events: ['*'] });
    expect(judgeEndpoints([endpoint(), other], WANTED)[1]).toMatchObject({ id: 'we_2', ours: false, secret: 'unverified', drift: [] });
  });

  it('of ours says how it differs', () => {
    const old = endpoint({ id: 'we_2', api_version: '2026-09-30.endive', metadata: {} });
    const off = endpoint({
      id: 'we_3',
      url: 'https://other.example.com/webhooks/stripe',
      status: 'disabled',
      metadata: { [FINGERPRINT_KEY]: 'sha256:2' },
    });
    const judged = judgeEndpoints([endpoint(), old, off], WANTED);
    expect(judged.map(({ drift }) => drift.map(({ kind }) => kind))).toEqual([[], ['duplicate'], ['disabled', 'secret_unused']]);
  });
});

describe('Deliveries as a whole', () => {
  const fine = { lastHour: { webhook: 5, thin: 0, sweep: 1 }, undelivered: { count: 0, more: false }, sweepEverySeconds: 300 };
  const judged = judgeEndpoints([endpoint()], WANTED);
  const kinds = (...args: Parameters<typeof findingsOf>) => findingsOf(...args).map(({ kind }) => kind);

  it('are fine when they arrive', () => expect(findingsOf(judged, fine)).toEqual([]));

  it('are missed when no enabled endpoint leads here', () => {
    expect(kinds([], fine)).toEqual(['silent']);
    expect(kinds(judgeEndpoints([endpoint({ status: 'disabled' })], WANTED), fine)).toEqual(['silent']);
  });

  it('do not arrive when everything comes by the sweep', () => {
    expect(kinds(judged, { ...fine, lastHour: { webhook: 0, thin: 0, sweep: 9 }, undelivered: null })).toEqual(['not_arriving']);
    expect(kinds(judged, { ...fine, lastHour: { webhook: 0, thin: 0, sweep: 0 } })).toEqual([]);
  });

  it('are told of when Stripe still waits for an answer', () => {
    expect(findingsOf(judged, { ...fine, undelivered: { count: 100, more: true } })).toMatchObject([
      { kind: 'undelivered', detail: expect.stringContaining('more than 100') },
    ]);
  });
});
