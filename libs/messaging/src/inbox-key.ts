/** Whose inbox rows: a consumer in one of its generations. */
export interface InboxKey {
  consumer: string;
  generation: number;
}
