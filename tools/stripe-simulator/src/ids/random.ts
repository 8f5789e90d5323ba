/** Small seeded generator (sfc32), so that a run can be repeated from its seed. `state` and `restore` carry it over a restart. */
export class Random {
  private a = 0;
  private b = 0;
  private c = 0;
  private d = 1;

  constructor(seed: number) {
    this.a = seed >>> 0;
    this.b = (seed ^ 0x9e3779b9) >>> 0;
    this.c = (seed ^ 0x243f6a88) >>> 0;
    for (let warmUp = 0; warmUp < 16; warmUp += 1) this.uint32();
  }

  uint32(): number {
    const t = (((this.a + this.b) | 0) + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + t;
    this.c |= 0;
    return t >>> 0;
  }

  /** A number in [0, 1). */
  fraction(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** A whole number in [0, below). */
  below(below: number): number {
    return Math.floor(this.fraction() * below);
  }

  /** A shuffled copy. */
  shuffled<T>(items: readonly T[]): T[] {
    const copy = [...items];
    for (let last = copy.length - 1; last > 0; last -= 1) {
      const other = this.below(last + 1);
      const held = copy[last] as T;
      copy[last] = copy[other] as T;
      copy[other] = held;
    }
    return copy;
  }

  state(): number[] {
    return [this.a, this.b, this.c, this.d];
  }

  /** Goes on from an earlier state, but elsewhere: what a killed process drew after saving must not come again. */
  restore(state: readonly number[], stir: number): void {
    [this.a = 0, this.b = 0, this.c = 0, this.d = 1] = state;
    this.c ^= stir;
  }
}
