import type { OtherObject } from '@tidegate/contracts/events/stripe-event/other';
import { commonOf } from './common.decide.js';
import { idOf, integer, type Json, text } from './read.decide.js';

export const normalizedOther = (source: Json, fallbackId: string): OtherObject => ({
  object: (text(source['object']) ?? 'unknown') as OtherObject['object'],
  ...commonOf(source, fallbackId),
  charge: idOf(source['charge']),
  amount: integer(source['amount']),
  currency: text(source['currency']),
});
