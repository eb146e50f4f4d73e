/** The base of a sum's two limbs. 2^51, so that two limbs and two summands still add up exactly in a double. */
const BASE = 2 ** 51;

/**
 * Exact sums of non-negative integers beyond 2^53, as many as `low` and `high` have entries: sum `i` is
 * `high[i] × 2^51 + low[i]` with `low[i] < 2^51` at all times, so that equal sums have equal limbs, whatever the order
 * in which they were made. Good to 2^104.
 */
export interface WideSums {
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** `length` sums, all 0. */
export function createWideSums(length: number): WideSums {
  return { low: new Float64Array(length), high: new Float64Array(length) };
}

/** Adds the integer `value`, `0 … 2^52`, to sum `index`. */
export function addValue(sums: WideSums, index: number, value: number): void {
  addLimbs(sums, index, 0, value);
}

/** Adds the square of the integer `value`, `0 … 2^40 − 1`, to sum `index`. */
export function addSquare(sums: WideSums, index: number, value: number): void {
  if (value < 2 ** 26) {
    addLimbs(sums, index, 0, value * value); // below 2^52: exact
    return;
  }
  // value = a × 2^20 + b, so value² = a² × 2^40 + ab × 2^21 + b², each product below 2^40. The parts of the first two
  // at and above 2^51 go to the high limb.
  const a = Math.floor(value / 2 ** 20);
  const b = value - a * 2 ** 20;
  const aa = a * a;
  const ab = a * b;
  const aaHigh = Math.floor(aa / 2 ** 11);
  const abHigh = Math.floor(ab / 2 ** 30);
  const low = (aa - aaHigh * 2 ** 11) * 2 ** 40 + (ab - abHigh * 2 ** 30) * 2 ** 21;
  addLimbs(sums, index, aaHigh + abHigh, low);
  addLimbs(sums, index, 0, b * b);
}

/** Adds every sum of `from` to the one of the same index in `into`. */
export function addWideSums(into: WideSums, from: WideSums): void {
  for (let i = 0; i < into.low.length; i++) addLimbs(into, i, from.high[i], from.low[i]);
}

/** Sum `index`. */
export function readSum(sums: WideSums, index: number): bigint {
  return BigInt(sums.high[index]) * BigInt(BASE) + BigInt(sums.low[index]);
}

/** Adds the integer with these 32-bit words, the lowest first, to sum `index`. The last is below 2^8: sums end at 2^104. */
export function addWords(
  sums: WideSums,
  index: number,
  first: number,
  second: number,
  third: number,
  fourth: number,
): void {
  const low = (second & 0x7_ff_ff) * 2 ** 32 + first; // 51 bits
  addLimbs(sums, index, fourth * 2 ** 45 + third * 2 ** 13 + (second >>> 19), low);
}

/** `low` may be up to 2^52: with the limb below 2^51 that is there the sum is below 2^53, and exact. */
function addLimbs(sums: WideSums, index: number, high: number, low: number): void {
  const sum = sums.low[index] + low;
  if (sum < BASE) {
    sums.low[index] = sum;
    sums.high[index] += high;
    return;
  }
  const carry = Math.floor(sum / BASE);
  sums.low[index] = sum - carry * BASE;
  sums.high[index] += high + carry;
}
