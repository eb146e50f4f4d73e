/** What the synthetic network knows of a layer. */
export interface SyntheticConstants {
  /** Factor of the kernel. */
  readonly gain: number;
  /** Middle of the biases: what sets the layer's zero share. */
  readonly bias: number;
  /** Half the width of the biases' distribution: what makes filters differ in their zero shares. */
  readonly spread: number;
}

/** A layer each, in network order. Written by `scripts/calibrate-synthetic.ts`. */
export const SYNTHETIC_CONSTANTS: readonly SyntheticConstants[] = [
  { gain: 0.85959, bias: -0.47531, spread: 10.5 },
  { gain: 0.24424, bias: 12.693, spread: 16.5 },
  { gain: 0.13046, bias: 13.902, spread: 28 },
  { gain: 0.098281, bias: 2.9541, spread: 48 },
  { gain: 0.084881, bias: 1.7166, spread: 63 },
  { gain: 0.064136, bias: 8.7273, spread: 72 },
  { gain: 0.063044, bias: -45.813, spread: 81 },
  { gain: 0.048233, bias: -25.597, spread: 63 },
  { gain: 0.046452, bias: -33.453, spread: 66 },
  { gain: 0.047957, bias: -62.717, spread: 65 },
  { gain: 0.043471, bias: -32.239, spread: 48 },
  { gain: 0.038595, bias: -23.432, spread: 30 },
  { gain: 0.049692, bias: -31.81, spread: 28 },
];
