import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { IssueRpc } from './issue.rpc.js';
import { ReceiptRpc } from './receipt.rpc.js';

/** Which subject is answered by what. */
@Controller()
export class ReceiptController {
  constructor(
    @Inject(ReceiptRpc) private readonly receipts: ReceiptRpc,
    @Inject(IssueRpc) private readonly issuing: IssueRpc,
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
}
