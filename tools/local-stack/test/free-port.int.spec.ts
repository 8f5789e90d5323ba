import { describe, expect, it } from '@jest/globals';
import { freePort, isPortFree } from '../src/process/free-port.js';

describe('Ports that are asked for', () => {
  it('are free, and none is given twice while others are left', async () => {
    const ports = await Promise.all(Array.from({ length: 100 }, () => freePort()));
    expect(new Set(ports).size).toBe(100);
    expect((await Promise.all(ports.map((port) => isPortFree(port)))).filter((free) => !free).length).toBeLessThan(3);
  });
});
