import { type ClientRequest, type IncomingMessage, request } from 'node:http';

export interface ReceivedEvent {
  id: string;
  type: string;
  data: string;
  /** When it came, in epoch milliseconds. */
  at: number;
}

export interface StreamClientOptions {
  /** Asked for each connection. */
  url(): string;
  headers: Record<string, string>;
  /** Of the first connection. */
  lastEventId?: string;
  onEvent?(event: ReceivedEvent): void;
}

const AGAIN_MS = 20;

/** A client of server-sent events as it should be: when its connection ends, however that comes, it comes back with the id of what it saw last. */
export class StreamClient {
  readonly events: ReceivedEvent[] = [];
  /** What connections were answered with, and null where there was no answer. */
  readonly answers: (number | null)[] = [];
  /** The comments and fields beside events that came, as text. */
  readonly lines: string[] = [];
  lastEventId: string | undefined;
  #outgoing: ClientRequest | undefined;
  #again: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(private readonly options: StreamClientOptions) {
    this.lastEventId = options.lastEventId;
    this.#connect();
  }

  /** Ends the connection in the middle of whatever it does. It comes back. */
  kill(): void {
    this.#outgoing?.destroy();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#again);
    this.kill();
  }

  /** Takes nothing more from its connection, and does not end it. */
  fallAsleep(): void {
    this.#response?.pause();
  }

  #response: IncomingMessage | undefined;

  #connect(): void {
    const outgoing = request(this.options.url(), {
      agent: false,
      headers: { ...this.options.headers, ...(this.lastEventId === undefined ? {} : { 'last-event-id': this.lastEventId }) },
    });
    this.#outgoing = outgoing;
    outgoing.on('response', (response) => this.#read(response, outgoing));
    outgoing.on('error', () => undefined);
    outgoing.on('close', () => {
      if (this.#response === undefined) this.answers.push(null);
      this.#response = undefined;
      if (!this.#stopped) this.#again = setTimeout(() => this.#connect(), AGAIN_MS);
    });
    outgoing.end();
  }

  #read(response: IncomingMessage, outgoing: ClientRequest): void {
    this.answers.push(response.statusCode ?? 0);
    this.#response = response;
    response.on('error', () => undefined);
    if (response.statusCode !== 200) return void response.resume();
    let rest = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      const blocks = (rest + chunk).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) if (!outgoing.destroyed) this.#take(block);
    });
  }

  /** https://html.spec.whatwg.org/multipage/server-sent-events.html: an id counts without data, too, and half an event is none. */
  #take(block: string): void {
    const fields = new Map<string, string>();
    for (const line of block.split('\n')) {
      const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
      fields.set(name, name === 'data' && fields.has('data') ? `${fields.get('data')}\n${value}` : value);
      if (name !== 'data' && name !== 'event') this.lines.push(line);
    }
    this.lastEventId = fields.get('id') ?? this.lastEventId;
    const data = fields.get('data');
    if (data === undefined) return;
    const event = { id: this.lastEventId ?? '', type: fields.get('event') ?? 'message', data, at: Date.now() };
    this.events.push(event);
    this.options.onEvent?.(event);
  }
}
