import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports that Linux and macOS give to outgoing connections (from 32768 and 49152): what is chosen there may be somebody's source
 * port by the time a server wants it, and again each time the server is restarted.
 */
const LOWEST = 20_000;
const HIGHEST = 32_000;
/**
 * Each process begins in a range of its own, and goes through it: what it has given away, and what a server that is killed will want again, is then seldom chosen by
 * another one.
 */
const OF_A_PROCESS = 120;
const OWN = LOWEST + OF_A_PROCESS * (process.pid % ((HIGHEST - LOWEST) / OF_A_PROCESS));
let given = randomInt(OF_A_PROCESS);

/** A TCP port on 127.0.0.1 that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < OF_A_PROCESS; tried += 1) {
    given += 1;
    const port = OWN + (given % OF_A_PROCESS);
    if (await isPortFree(port)) return port;
  }
  for (;;) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isPortFree(port)) return port;
  }
}

/** Whether a server of ours could listen on that port now: on the loopback address and on all addresses. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await canListen(port, '127.0.0.1')) && (await canListen(port, '0.0.0.0'));
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
