/** A reason to end that the person at the keyboard can act on: printed as it is, without a stack trace. */
export class Refusal extends Error {}
