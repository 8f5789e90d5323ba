import { type Problem, type ProblemCode } from '@tidegate/contracts/problem';

/** A request that is answered with a problem document. `detail` is shown to the caller: no secret, no input that may be one. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  constructor(
    readonly code: ProblemCode,
    readonly detail: string,
    readonly more: { errors?: NonNullable<Problem['errors']>; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(`${code}: ${detail}`);
  }
}
