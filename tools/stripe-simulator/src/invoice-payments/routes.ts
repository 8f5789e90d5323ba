import { noSuch } from '../http/errors.js';
import { listPage } from '../http/list.js';
import { type Route } from '../http/route.js';

const PATH = '/v1/invoice_payments';

/** How invoices were paid: since 2025-03 (basil) the only way from an invoice to its PaymentIntent and back. */
export const invoicePaymentRoutes: readonly Route[] = [
  {
    operation: `GET ${PATH}`,
    returns: 'list<invoice_payment>',
    handle: (world, call) => {
      const wanted = call.params['payment'] as { payment_intent?: string } | undefined;
      return listPage(call, world.invoicePayments, {
        noun: 'invoice_payment',
        url: PATH,
        filters: ['invoice', 'status'],
        ...(wanted && { matches: ({ payment }) => payment.payment_intent === wanted.payment_intent }),
      });
    },
  },
  {
    operation: `GET ${PATH}/{id}`,
    returns: 'invoice_payment',
    handle: (world, { id }) => {
      const payment = world.invoicePayments.get(id);
      if (payment === undefined) throw noSuch('invoice_payment', id, 'id');
      return payment;
    },
  },
];
