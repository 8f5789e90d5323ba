import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

export interface MailServer {
  url: string;
  /** What was taken, as it was sent. */
  mails: string[];
  /** How the next mails are answered once they are there: 0 takes them, `cut` hangs up without an answer. */
  answer: 0 | 451 | 550 | 'cut';
  /** How our sender is answered: 0 takes it. */
  sender: 0 | 550;
  stop(): Promise<void>;
}

/** A server that speaks SMTP. */
export async function mailServer(): Promise<MailServer> {
  const world: MailServer = {
    url: '',
    mails: [],
    answer: 0,
    sender: 0,
    stop: () => new Promise((resolve) => void server.close(() => resolve())),
  };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onMailFrom(_address, _session, done) {
      done(world.sender === 0 ? null : Object.assign(new Error('not from you'), { responseCode: world.sender }));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { answer } = world;
        if (answer === 0 || answer === 'cut') world.mails.push(Buffer.concat(chunks).toString());
        if (answer === 'cut') connections.forEach((socket) => socket.destroy());
        else if (answer === 0) done();
        else done(Object.assign(new Error('no'), { responseCode: answer }));
      });
    },
  });
  const connections = new Set<{ destroy(): void }>();
  server.server.on('connection', (socket: { destroy(): void }) => connections.add(socket));
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()));
  world.url = `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  return world;
}
