import { baseSettings } from '@tidegate/service-host/base-config';
import { type Environment, readConfig } from '@tidegate/service-host/config';
import { documented } from '@tidegate/service-host/settings';
import { z } from 'zod';
import { isNumberFormat } from './receipt/receipt-number.js';

export const receiptsSettings = z.object({
  ...baseSettings({ port: 3004 }),
  RECEIPT_NUMBER_FORMAT: documented(
    z
      .string()
      .refine(isNumberFormat, 'must hold {series}, {year} and {sequence} once each, with something between them')
      .default('{series}-{year}-{sequence:6}'),
    { doc: 'How a receipt number is written; `{sequence:6}` pads to six digits. Numbers already given keep their form.' },
  ),
});
export type ReceiptsConfig = Readonly<z.infer<typeof receiptsSettings>>;

export const receiptsConfig = (env?: Environment): ReceiptsConfig => readConfig(receiptsSettings, env);
