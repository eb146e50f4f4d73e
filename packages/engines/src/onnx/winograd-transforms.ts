/**
 * Winograd's minimal filtering F(4×4, 3×3): a tile of 4×4 outputs from 6×6 inputs with 36 multiplications a pair of channels
 * instead of 144 (Lavin & Gray 2015, arXiv:1509.09308, section 4.3). With d the inputs and g the kernel,
 * output = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A.
 */

/** Outputs of a tile along one axis. */
export const TILE = 4;
/** Points, and inputs of a tile, along one axis. */
export const POINTS = 6;

/** `[point, input]` */
export const INPUT_TRANSFORM = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
] as const;

/** `[point, tap]` */
const KERNEL_TRANSFORM = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
] as const;

/** `[output, point]` */
export const OUTPUT_TRANSFORM = [
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 0],
  [0, 1, 1, 4, 4, 0],
  [0, 1, -1, 8, -8, 1],
] as const;

/** The point along each axis whose product reaches every output of the tile with factor 1: there a bias is added. */
export const BIAS_POINT = 1;

/**
 * A layer's kernels at the 36 points.
 * @param kernel `[tapRow, tapColumn, input, output]` (HWIO)
 * @param into `[pointColumn, pointRow, output, input]`
 */
export function transformKernels(
  kernel: Float32Array,
  inputs: number,
  filters: number,
  into: Float32Array,
): void {
  const taps = new Float64Array(9);
  const half = new Float64Array(POINTS * 3); // G g
  for (let output = 0; output < filters; output++) {
    for (let input = 0; input < inputs; input++) {
      for (let tap = 0; tap < 9; tap++) taps[tap] = kernel[(tap * inputs + input) * filters + output];
      for (let point = 0; point < POINTS; point++) {
        const [a, b, c] = KERNEL_TRANSFORM[point];
        for (let column = 0; column < 3; column++) {
          half[point * 3 + column] = a * taps[column] + b * taps[3 + column] + c * taps[6 + column];
        }
      }
      for (let column = 0; column < POINTS; column++) {
        const [a, b, c] = KERNEL_TRANSFORM[column];
        for (let row = 0; row < POINTS; row++) {
          const value = a * half[row * 3] + b * half[row * 3 + 1] + c * half[row * 3 + 2];
          into[((column * POINTS + row) * filters + output) * inputs + input] = value;
        }
      }
    }
  }
}

/** A row of a transform as a convolution along one axis: its non-zero numbers, evenly `dilation` apart. */
export interface Taps {
  /** Input of the first one. */
  readonly first: number;
  readonly weights: readonly number[];
  readonly dilation: number;
  /** Inputs from the first to the last one. */
  readonly extent: number;
}

/** The six rows of Bᵀ: 22 taps instead of 36. @param first where the taps have to begin, if not at the first non-zero one */
export function inputTaps(first?: 0): readonly Taps[] {
  return INPUT_TRANSFORM.map((row) => {
    const used = row.flatMap((weight, at) => (weight === 0 ? [] : [at]));
    const start = first ?? used[0];
    const last = used.at(-1)!;
    const dilation = used.every((at) => (at - start) % 2 === 0) ? 2 : 1;
    const weights: number[] = [];
    for (let at = start; at <= last; at += dilation) weights.push(row[at]);
    return { first: start, weights, dilation, extent: last - start + 1 };
  });
}
