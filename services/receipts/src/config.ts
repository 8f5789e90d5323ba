import { baseSettings } from '@tidegate/service-host/base-config';
import { type Environment, readConfig } from '@tidegate/service-host/config';
import { documented, secret, url, wholeNumber } from '@tidegate/service-host/settings';
import { z } from 'zod';
import { isNumberFormat } from './receipt/receipt-number.js';

const MAIL_SERVER = 'Mail server that takes receipts to payers with an address: smtp://user:password@host:port. Absent: nothing is mailed.';

export const receiptsSettings = z.object({
  ...baseSettings({ port: 3004 }),
  RECEIPT_NUMBER_FORMAT: documented(
    z
      .string()
      .refine(isNumberFormat, 'must hold {series}, {year} and {sequence} once each, with something between them')
      .default('{series}-{year}-{sequence:6}'),
    { doc: 'How a receipt number is written; `{sequence:6}` pads to six digits. Numbers already given keep their form.' },
  ),
  RECEIPT_STORE: documented(
    z
      .string()
      .regex(/^(postgres|s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[A-Za-z0-9/_.-]*)?)$/, 'must be postgres or s3://bucket/prefix')
      .default('postgres'),
    {
      doc: 'Where PDFs lie: `postgres`, or `s3://bucket/prefix` with credentials and region from where the AWS SDK looks for them (AWS_ACCESS_KEY_ID, AWS_REGION, a role).',
    },
  ),
  RECEIPT_S3_ENDPOINT: documented(url('http', 'https').optional(), {
    doc: "Base URL of an S3-speaking store that is not Amazon's; buckets are then addressed by path.",
  }),
  RECEIPT_LINK_SECONDS: documented(wholeNumber({ min: 10, max: 604_800 }).default(300), {
    doc: 'How long a signed link to a PDF works; after that it answers 410.',
    unit: 'seconds',
  }),
  PUBLIC_URL: documented(url('http', 'https').optional(), {
    doc: 'Under which address people reach the gateway: begins the links to documents and the address in their QR code. Without it a link is a path, and documents have no code.',
  }),
  SMTP_URL: documented(secret(url('smtp', 'smtps'), { doc: MAIL_SERVER }).optional(), { doc: MAIL_SERVER, secret: true }),
  RECEIPT_MAIL_FROM: documented(z.email().optional(), { doc: 'Sender of the mails; needed with SMTP_URL.' }),
});
export type ReceiptsConfig = Readonly<z.infer<typeof receiptsSettings>>;

export const receiptsConfig = (env?: Environment): ReceiptsConfig => readConfig(receiptsSettings, env);

/** PUBLIC_URL without a slash at its end. */
export const publicUrlOf = ({ PUBLIC_URL }: Pick<ReceiptsConfig, 'PUBLIC_URL'>): string | null => PUBLIC_URL?.replace(/\/+$/, '') ?? null;
