/** One type of the compact API schema; `t` says which of the other fields are there. The format is described in data/README.md. */
export interface SchemaNode {
  readonly t: string;
  readonly opt?: true;
  readonly null?: true;
  readonly emptyOk?: true;
  readonly open?: true;
  readonly enum?: readonly (string | number)[];
  readonly const?: boolean;
  readonly items?: SchemaNode;
  readonly values?: SchemaNode;
  readonly fields?: Fields;
  readonly of?: readonly SchemaNode[];
  readonly to?: readonly string[];
  readonly ref?: string;
}

export type Fields = Readonly<Record<string, SchemaNode>>;
