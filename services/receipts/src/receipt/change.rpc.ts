import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { Db } from '@tidegate/database/database';
import { recordOperatorAction } from '@tidegate/database/operator-action';
import { errorName, issued, renderReceipt } from '../document/document.flow.js';
import { MailUnderWay, requestMail } from '../mail/request-mail.js';
import type { ReceiptRow } from '../tables.js';
import { untilRecorded } from './receipt.record.js';
import { findReceipt } from './receipt.store.js';
import type { ReceiptRpcPorts } from './receipt.rpc.js';
import { operatorReceiptView, receiptView } from './receipt.view.js';
import { cannotBeMade, notFound, problem } from './replies.js';

export interface ChangePorts extends ReceiptRpcPorts {
  /** A mail is due. */
  mailDue: () => void;
}

type Whose = 'tenant' | 'any';

/** What somebody has done to a receipt. Each is written down with who and why. */
export class ChangeRpc {
  constructor(private readonly ports: ChangePorts) {}

  regenerate(payload: unknown): Promise<HttpReply> {
    return this.regenerated(RouteRequest.parse(payload), 'tenant');
  }
  regenerateForOperators(payload: unknown): Promise<HttpReply> {
    return this.regenerated(RouteRequest.parse(payload), 'any');
  }
  resend(payload: unknown): Promise<HttpReply> {
    return this.resent(RouteRequest.parse(payload), 'tenant');
  }
  resendForOperators(payload: unknown): Promise<HttpReply> {
    return this.resent(RouteRequest.parse(payload), 'any');
  }

  /** Makes the document anew with today's template, fonts and engine, and with how the payment stands now. 503 `receipts.render_failed` names what went wrong, in all its words to operators only. */
  private async regenerated(request: RouteRequest, whose: Whose): Promise<HttpReply> {
    const receipt = await this.find(request, whose);
    if (!receipt) return notFound(request);
    await this.writeDown(request, 'receipt.regenerate', receipt);
    const { receipt_id: receiptId, payment_id: paymentId } = receipt;
    try {
      await renderReceipt(this.ports, { paymentId, receiptId, trace: 'current', standing: 'current' });
    } catch (err) {
      this.ports.logger.error(
        { event: 'receipt_render_failed', receipt_id: receiptId, payment_id: paymentId, err },
        'A document could not be made anew',
      );
      return cannotBeMade(request, 'receipts.render_failed', whatFailed(err, whose));
    }
    return this.shown(200, receiptId, whose);
  }

  /** Has the document mailed once more, to the address that is known of the payer. */
  private async resent(request: RouteRequest, whose: Whose): Promise<HttpReply> {
    const receipt = await this.find(request, whose);
    if (!receipt) return notFound(request);
    if (!this.ports.mails) return problem(request, 'receipts.mail_off', 'There is no mail server: SMTP_URL is not set.');
    if (receipt.voided_at) return problem(request, 'receipts.voided', 'What does not count any more is not mailed.');
    const { facts, origin } = await issued(this.ports.db, receipt.payment_id, receipt.receipt_id);
    const { receipt_email } = await this.ports.payers.of(facts, origin?.correlation_id ?? request.correlation_id);
    if (receipt_email === null)
      return problem(request, 'receipts.no_address', 'The payment came without an address, or the payer was erased.');
    try {
      await this.writeDown(request, 'receipt.resend', receipt, (tx) =>
        requestMail(tx, receipt, { now: this.ports.clock.now(), correlationId: request.correlation_id }),
      );
    } catch (error) {
      if (error instanceof MailUnderWay)
        return problem(request, 'receipts.mail_under_way', 'Look how it ends, and ask again if it did not arrive.');
      throw error;
    }
    this.ports.mailDue();
    return this.shown(202, receipt.receipt_id, whose);
  }

  private find(request: RouteRequest, whose: Whose): Promise<ReceiptRow | undefined> {
    return findReceipt(this.ports.db, whose === 'tenant' ? request.tenant : null, request.params['id'] ?? '');
  }

  private async shown(status: number, receiptId: string, whose: Whose): Promise<HttpReply> {
    const row = await findReceipt(this.ports.db, null, receiptId);
    if (!row) throw new Error(`Bug: ${receiptId} is gone`);
    const view = whose === 'tenant' ? receiptView : operatorReceiptView;
    return jsonReply(status, view(row, await this.ports.links.make()));
  }

  private async writeDown(
    request: RouteRequest,
    action: string,
    receipt: ReceiptRow,
    along: (tx: ReceiptRpcPorts['db']) => Promise<void> = async () => undefined,
  ): Promise<void> {
    const { reason } = ReasonBody.parse(request.body);
    const { actor } = request;
    const { db, clock } = this.ports;
    await untilRecorded(() =>
      db.transaction().execute(async (tx) => {
        await along(tx);
        await recordOperatorAction(tx as unknown as Db, { actor, action, target: receipt.receipt_id, reason }, clock.now());
      }),
    );
    this.ports.logger.warn(
      { event: 'operator_action', actor, action, reason, receipt_id: receipt.receipt_id },
      'Somebody changed something',
    );
  }
}

/** A store, a database and an engine say where they are, as whom they know us, and what lies there: that is nothing for a tenant. */
const whatFailed = (err: unknown, whose: Whose): string =>
  whose === 'tenant'
    ? `The receipt has its number; its document cannot be made right now: ${errorName(err)}.`
    : `${errorName(err)}: ${err instanceof Error ? err.message : String(err)}`;
