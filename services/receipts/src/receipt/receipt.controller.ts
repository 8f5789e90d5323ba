import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { ChangeRpc } from './change.rpc.js';
import { IssueRpc } from './issue.rpc.js';
import { ReceiptRpc } from './receipt.rpc.js';
import { VerificationRpc } from './verification.rpc.js';
import { VerifyRpc } from './verify.rpc.js';

/** Which subject is answered by what. */
@Controller()
export class ReceiptController {
  constructor(
    @Inject(ReceiptRpc) private readonly receipts: ReceiptRpc,
    @Inject(IssueRpc) private readonly issuing: IssueRpc,
    @Inject(ChangeRpc) private readonly changes: ChangeRpc,
    @Inject(VerifyRpc) private readonly verifying: VerifyRpc,
    @Inject(VerificationRpc) private readonly verification: VerificationRpc,
  ) {}

  @MessagePattern(RPC.receiptList)
  list(@Payload() request: unknown): Promise<HttpReply> {
    return this.receipts.list(request);
  }

  @MessagePattern(RPC.receiptGet)
  get(@Payload() request: unknown): Promise<HttpReply> {
    return this.receipts.get(request);
  }

  @MessagePattern(RPC.receiptOfPayment)
  ofPayment(@Payload() request: unknown): Promise<HttpReply> {
    return this.receipts.ofPayment(request);
  }

  @MessagePattern(RPC.receiptPdf)
  pdf(@Payload() request: unknown): Promise<HttpReply> {
    return this.receipts.pdf(request);
  }

  @MessagePattern(RPC.receiptIssue)
  issue(@Payload() request: unknown): Promise<HttpReply> {
    return this.issuing.issue(request);
  }

  @MessagePattern(RPC.receiptRegenerate)
  regenerate(@Payload() request: unknown): Promise<HttpReply> {
    return this.changes.regenerate(request);
  }

  @MessagePattern(RPC.receiptResend)
  resend(@Payload() request: unknown): Promise<HttpReply> {
    return this.changes.resend(request);
  }

  @MessagePattern(RPC.receiptLink)
  openLink(@Payload() request: unknown): Promise<HttpReply> {
    return this.receipts.openLink(request);
  }

  @MessagePattern(RPC.receiptVerification)
  verificationPage(@Payload() request: unknown): Promise<HttpReply> {
    return this.verification.page(request);
  }

  @MessagePattern(RPC.operatorReceiptList)
  listForOperators(@Payload() request: unknown): Promise<HttpReply> {
    return this.receipts.listForOperators(request);
  }

  @MessagePattern(RPC.operatorReceiptGet)
  getForOperators(@Payload() request: unknown): Promise<HttpReply> {
    return this.receipts.getForOperators(request);
  }

  @MessagePattern(RPC.operatorReceiptRegenerate)
  regenerateForOperators(@Payload() request: unknown): Promise<HttpReply> {
    return this.changes.regenerateForOperators(request);
  }

  @MessagePattern(RPC.operatorReceiptResend)
  resendForOperators(@Payload() request: unknown): Promise<HttpReply> {
    return this.changes.resendForOperators(request);
  }

  @MessagePattern(RPC.operatorReceiptVerify)
  verify(@Payload() request: unknown): Promise<HttpReply> {
    return this.verifying.verify(request);
  }
}
