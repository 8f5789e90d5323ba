import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { problemOf } from '@tidegate/contracts/problem';

/** Answers what Node could not even read as HTTP (a broken request line, headers without end, a request that never finishes), as a problem document too. */
export function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const requestId = `req_${randomUUID().replaceAll('-', '')}`;
  const body = JSON.stringify(problemOf('validation.failed', 'The request could not be read as HTTP.', requestId));
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nx-request-id: ${requestId}\r\nconnection: close\r\n\r\n${body}`,
  );
}
