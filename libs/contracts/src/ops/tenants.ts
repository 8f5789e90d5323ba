import { z } from 'zod';
import { Reason } from './reason.js';

export const TenantId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and dashes, at most 63, beginning with a letter');

const zone = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_+\-/]{0,63}$/)
  .refine(isZone, 'must be an IANA time zone, such as Europe/Berlin');
const locale = z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'must be a BCP 47 language tag, such as de or en-GB');

export const CreateTenantBody = z.strictObject({
  id: TenantId,
  name: z.string().min(1).max(200).optional().describe('Shown on receipts; the id when absent'),
  zone: zone.optional().describe('IANA time zone that decides the year of its receipts; UTC when absent'),
  locale: locale.optional().describe('Language of its receipts; en when absent'),
  reason: Reason,
});
export type CreateTenantBody = z.infer<typeof CreateTenantBody>;

const line = z.string().min(1).max(160);

/** What is absent stays as it is. */
export const BrandTenantBody = z.strictObject({
  name: z.string().min(1).max(200).optional().describe('Shown on receipts'),
  legal_lines: z.array(line).max(8).optional().describe('Address, register and the like, below the name'),
  tax_ids: z.array(z.string().min(1).max(60)).max(4).optional(),
  accent: z
    .string()
    .regex(/^#[0-9a-f]{6}$/, 'must be a colour such as #0b6e75')
    .nullable()
    .optional()
    .describe('The one colour of its documents; null: the colour of the template'),
  logo: z
    .string()
    .regex(/^[A-Za-z0-9+/]+={0,2}$/, 'must be base64')
    .max(87_384)
    .nullable()
    .optional()
    .describe('A PNG in base64; null takes it away'),
  reason: Reason,
});
export type BrandTenantBody = z.infer<typeof BrandTenantBody>;

export const TenantView = z.object({
  id: z.string(),
  object: z.literal('tenant'),
  name: z.string(),
  zone: z.string(),
  locale: z.string(),
  legal_lines: z.array(z.string()),
  tax_ids: z.array(z.string()),
  accent: z.string().nullable(),
  /** SHA-256 of the PNG. */
  logo: z.string().nullable(),
  created_at: z.iso.datetime(),
});
export type TenantView = z.infer<typeof TenantView>;

function isZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
