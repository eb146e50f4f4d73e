import { MAX_ACTIVATION } from './readings-problem.ts';

/** Exponents of 2 between which maxima are counted by quarter octaves. */
const LOWEST_EXPONENT = -10;
const HIGHEST_EXPONENT = 16;
const QUARTERS = (HIGHEST_EXPONENT - LOWEST_EXPONENT) * 4;

/** Bin of a blank filter. */
export const BLANK_BIN = 0;
/** Bin of maxima above 0 and below 2^−10. */
const UNDERFLOW_BIN = 1;
/** Bin of maxima from 2^16. */
const OVERFLOW_BIN = UNDERFLOW_BIN + QUARTERS + 1;

/**
 * Bins of a histogram of maxima: blank, below 2^−10, the 104 quarter octaves from 2^−10 to 2^16, and from 2^16.
 * VGG16's activations lie inside: Keras's weights take pixels of 0 … 255 and reach some ten thousands, torchvision's
 * reach tens.
 */
export const HISTOGRAM_BINS = OVERFLOW_BIN + 1;

/**
 * Fractions, in units of 2^−23, of the first float32 at or above 2^¼, 2^½ and 2^¾. Bins are told from a float's bits and
 * not by `Math.log2`, whose last digits are the implementation's: a maximum at an edge must fall alike everywhere.
 */
const QUARTER_FRACTIONS = [0, 1_587_185, 3_474_676, 5_719_293] as const;

/** @param bits a float32 above 0, as its 32 bits. @returns its bin. */
export function binOfBits(bits: number): number {
  const exponent = (bits >>> 23) - 127;
  if (exponent < LOWEST_EXPONENT) return UNDERFLOW_BIN;
  if (exponent >= HIGHEST_EXPONENT) return OVERFLOW_BIN;
  const fraction = bits & 0x7f_ff_ff;
  const quarter =
    fraction < QUARTER_FRACTIONS[2]
      ? fraction < QUARTER_FRACTIONS[1]
        ? 0
        : 1
      : fraction < QUARTER_FRACTIONS[3]
        ? 2
        : 3;
  return UNDERFLOW_BIN + 1 + (exponent - LOWEST_EXPONENT) * 4 + quarter;
}

/** The maxima that a bin counts: `low ≤ maximum < high`. */
export interface BinEdges {
  readonly low: number;
  readonly high: number;
}

/**
 * The edges of a bin, exact float32 values: the blank bin is 0 to 0, the underflow bin begins at 0, which it does not
 * hold, and the overflow bin ends at `MAX_ACTIVATION`.
 * @throws RangeError for a bin that is none of `0 … HISTOGRAM_BINS − 1`.
 */
export function binEdges(bin: number): BinEdges {
  if (!Number.isInteger(bin) || bin < 0 || bin >= HISTOGRAM_BINS) {
    throw new RangeError(`there is no histogram bin ${bin}; they are 0 … ${HISTOGRAM_BINS - 1}`);
  }
  if (bin === BLANK_BIN) return { low: 0, high: 0 };
  return {
    low: bin === UNDERFLOW_BIN ? 0 : lowerEdge(bin),
    high: bin === OVERFLOW_BIN ? MAX_ACTIVATION : lowerEdge(bin + 1),
  };
}

function lowerEdge(bin: number): number {
  const quarters = bin - UNDERFLOW_BIN - 1;
  return (1 + QUARTER_FRACTIONS[quarters % 4] / 2 ** 23) * 2 ** (LOWEST_EXPONENT + Math.floor(quarters / 4));
}
