/** Why a document could not be made; each is a value of `payments_receipt_errors_total{error}`. */
export const RENDER_ERRORS = ['template', 'font', 'engine', 'timeout'] as const;
export type RenderErrorName = (typeof RENDER_ERRORS)[number];

/** `template`: the template or its input does not compile. `font`: a font file is missing or damaged. `engine`: the worker died. */
export class RenderError extends Error {
  override readonly name = 'RenderError';

  constructor(
    readonly error: RenderErrorName,
    message: string,
  ) {
    super(message);
  }
}
