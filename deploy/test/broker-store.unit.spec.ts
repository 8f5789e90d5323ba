import { describe, expect, it } from '@jest/globals';
import { CANARY_MAX_BYTES } from '@tidegate/messaging/ensure-topology';
import { LAPTOP_TOPOLOGY, STREAMS } from '@tidegate/messaging/topology';
import { parse } from 'yaml';
import { compose, textOf } from './read-deploy.js';

/** As nats-server counts: `GB` is 1024^3 bytes. */
const UNITS: Readonly<Record<string, number>> = { '': 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };

function maxFileStore(): number {
  const [, amount = '', unit = ''] = /^\s*max_file_store: (\d+)([KMG]B)?$/m.exec(textOf('deploy/nats/nats-server.conf')) ?? [];
  return Number(amount) * UNITS[unit]!;
}

/** What the streams reserve on each server of a cluster of as many servers as copies: a server refuses a stream that does not fit, filled or not. */
const reserved = (maxBytes: number): number => STREAMS.length * (maxBytes + CANARY_MAX_BYTES);

describe('The store of the NATS servers', () => {
  const given = {
    chart: (parse(textOf('deploy/kubernetes/tidegate/values.yaml')) as { env: Record<string, string> }).env['NATS_STREAM_MAX_BYTES'],
    compose: compose().services['payments']?.environment?.['NATS_STREAM_MAX_BYTES'],
  };

  it.each(Object.entries(given))('has room for all streams as the %s makes them, and for one of twice the size', (_, setting) => {
    const maxBytes = Number(setting ?? LAPTOP_TOPOLOGY.maxBytes);
    expect(maxBytes).toBeGreaterThan(0);
    expect(reserved(maxBytes) + maxBytes).toBeLessThanOrEqual(maxFileStore());
  });
});

it('Answers of the NATS servers may be as large as those of the local one, through which every test goes', () => {
  expect(textOf('deploy/nats/nats-server.conf')).toMatch(/^max_payload: 8MB$/m);
});
