import { describe, expect, it } from '@jest/globals';
import { Poster } from './post.js';

describe('A post', () => {
  it.each([
    ['nonsense', {}],
    ['http://', {}],
    ['http://127.0.0.1:99999/', {}],
    ['http://127.0.0.1:9/', { 'bad header': 'x' }],
    ['http://127.0.0.1:9/', { header: 'line\nbreak' }],
  ])('to %j with %j gives an error and does not reject', async (url, headers) => {
    const poster = new Poster();
    expect(await poster.post(url, '{}', headers as Record<string, string>, 1_000)).toEqual({ error: expect.any(String) });
    poster.close();
  });
});
