import { type IncomingMessage } from 'node:http';

const MAX_BYTES = 1_000_000;

/** The whole body as text; undefined when it is larger than a megabyte (the rest is read and thrown away). */
export function readBody(request: IncomingMessage): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BYTES) chunks.push(chunk);
    });
    request.on('end', () =>
      resolve(size > MAX_BYTES ? undefined : chunks.length === 1 ? String(chunks[0]) : Buffer.concat(chunks).toString('utf8')),
    );
    request.on('error', reject);
  });
}
