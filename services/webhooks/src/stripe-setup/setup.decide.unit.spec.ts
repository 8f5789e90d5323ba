import { describe, expect, it } from '@jest/globals';
import { type Endpoint, FINGERPRINT_KEY, planSetup, type Wanted } from './setup.decide.js';

const wanted: Wanted = { url: 'https://shop.example/webhooks/stripe', api_version: 'v2', events: ['a', 'b'], secrets: ['sha256:used'] };
const endpoint = (change: Partial<Endpoint> = {}): Endpoint => ({
  id: 'we_1',
  url: wanted.url,
  status: 'enabled',
  api_version: 'v2',
  enabled_events: ['b', 'a'],
  metadata: { [FINGERPRINT_KEY]: 'sha256:used' },
  created: 1,
  ...change,
});
const planned = (...all: Endpoint[]) => {
  const { drift, actions } = planSetup(all, wanted);
  return {
    drift: drift.map(({ kind }) => kind),
    actions: actions.map((one) => [one.kind, ...('endpoint' in one ? [one.endpoint] : [])].join(' ')),
  };
};

describe('When the endpoint is as it should be', () => {
  it('finds nothing, in whatever order the events stand', () => {
    expect(planned(endpoint())).toEqual({ drift: [], actions: [] });
    expect(planned(endpoint({ url: `${wanted.url}/` }), endpoint({ id: 'we_old', status: 'disabled', api_version: 'v1' }))).toEqual({
      drift: [],
      actions: [],
    });
  });

  it('leaves one alone that a person made, whose secret cannot be told', () => {
    expect(planned(endpoint({ metadata: {} }))).toEqual({ drift: [], actions: [] });
  });
});

describe('When something differs', () => {
  it('makes one where there is none; endpoints of other URLs are not ours', () => {
    expect(planned()).toEqual({ drift: ['missing'], actions: ['create'] });
    expect(planned(endpoint({ url: 'https://other.example/webhooks/stripe' }))).toEqual({ drift: ['missing'], actions: ['create'] });
  });

  it('enables one, and sets its events', () => {
    expect(planned(endpoint({ status: 'disabled', enabled_events: ['*'] }))).toEqual({
      drift: ['disabled', 'events'],
      actions: ['update we_1', 'update we_1'],
    });
  });

  it('makes a new one for another version, and keeps the old one on meanwhile', () => {
    expect(planned(endpoint({ api_version: 'v1' }))).toEqual({ drift: ['api_version'], actions: ['create'] });
    expect(planned(endpoint({ api_version: null }))).toEqual({ drift: ['api_version'], actions: ['create'] });
  });

  it('says what of the events differs', () => {
    const found = (...enabled_events: string[]) => planSetup([endpoint({ enabled_events })], wanted).drift[0]?.detail;
    expect(found('a', 'c')).toBe('types missing: 1, types that are not handled: 1');
    expect(found('*')).toBe('Stripe delivers every type to it, not the 2 that are handled');
  });

  it('says when the service does not know the secret', () => {
    expect(planned(endpoint({ metadata: { [FINGERPRINT_KEY]: 'sha256:other' } }))).toEqual({ drift: ['secret_unused'], actions: [] });
  });
});

describe('When there are two', () => {
  const old = endpoint({ id: 'we_old', api_version: 'v1', metadata: {} });

  it('disables the old one once the secret of the new one is in use, and not before', () => {
    expect(planned(old, endpoint())).toEqual({ drift: ['duplicate'], actions: ['disable we_old'] });
    expect(planned(old, endpoint({ metadata: { [FINGERPRINT_KEY]: 'sha256:other' } }))).toEqual({
      drift: ['secret_unused', 'duplicate'],
      actions: [],
    });
  });

  it('never disables one for another whose secret cannot be told', () => {
    expect(planned(old, endpoint({ metadata: {} }))).toEqual({ drift: ['duplicate'], actions: [] });
  });

  it('keeps the one that works', () => {
    expect(planned(endpoint({ id: 'we_new', created: 9, metadata: { [FINGERPRINT_KEY]: 'sha256:other' } }), endpoint())).toEqual({
      drift: ['duplicate'],
      actions: ['disable we_new'],
    });
  });
});
