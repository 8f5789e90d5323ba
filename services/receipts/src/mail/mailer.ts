import { createTransport, type Transporter } from 'nodemailer';

export interface Mail {
  /** The same for the same mail, so that whoever gets it twice can tell. */
  messageId: string;
  to: string;
  subject: string;
  text: string;
  /** BCP 47 */
  language: string;
  attachment: { name: string; pdf: Uint8Array };
}

/**
 * `refused`: certainly not delivered; `final` when trying again would not help (a 5xx about the recipient or the mail: no such mailbox, say). `unknown`: the server had the mail and
 * its answer was lost.
 */
export type MailOutcome = { kind: 'sent' } | { kind: 'refused'; final: boolean; error: string } | { kind: 'unknown'; error: string };

export interface MailerSettings {
  /** Asked at each mail, because a secret may change. */
  url: () => string;
  from: string;
  timeoutMs?: number;
}

const TIMEOUT_MS = 15_000;

/**
 * Hands mails to an SMTP server. A first connection shows that the server is there and takes our name, so that only what fails without an answer after that leaves
 * it open whether the mail arrived: the library does not tell how far a connection had come when it broke.
 */
export class Mailer {
  constructor(private readonly settings: MailerSettings) {}

  async send(mail: Mail): Promise<MailOutcome> {
    const transport = this.transport();
    let reached = false;
    try {
      await transport.verify();
      reached = true;
      await transport.sendMail({
        messageId: mail.messageId,
        from: this.settings.from,
        to: { name: '', address: mail.to },
        subject: mail.subject,
        text: mail.text,
        headers: { 'Content-Language': mail.language, 'Auto-Submitted': 'auto-generated' },
        attachments: [{ filename: mail.attachment.name, content: Buffer.from(mail.attachment.pdf), contentType: 'application/pdf' }],
        // Nothing in a mail of ours is a path or an address to be read by the library.
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      return { kind: 'sent' };
    } catch (error) {
      return outcomeOf(error as SmtpError, reached);
    } finally {
      transport.close();
    }
  }

  private transport(): Transporter {
    const { url, timeoutMs = TIMEOUT_MS } = this.settings;
    const { protocol, hostname, port, username, password } = new URL(url());
    return createTransport({
      host: hostname.replace(/^\[|\]$/g, ''),
      secure: protocol === 'smtps:',
      ...(port === '' ? {} : { port: Number(port) }),
      ...(username === '' ? {} : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
    });
  }
}

interface SmtpError extends Error {
  code?: string;
  command?: string;
  responseCode?: number;
}

/** What is answered to these is about the recipient or the mail; to anything else (a greeting, a password, the sender) about us, and ours to repair. */
const ABOUT_THE_MAIL = new Set(['RCPT TO', 'DATA']);

/** RFC 5321, 4.2.1: 4yz is for now, 5yz for good. */
function outcomeOf({ code, command, responseCode }: SmtpError, reached: boolean): MailOutcome {
  const error = [responseCode, code, command].filter((one) => one !== undefined).join(' ') || 'unexpected';
  if (responseCode !== undefined)
    return { kind: 'refused', final: responseCode >= 500 && command !== undefined && ABOUT_THE_MAIL.has(command), error };
  return reached ? { kind: 'unknown', error } : { kind: 'refused', final: false, error };
}
