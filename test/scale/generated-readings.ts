import { filterCount, type Readings } from '@filterscope/statistics/readings';
import type { ConvolutionLayer } from '@filterscope/vgg16/layers';

/** Quantiles of a log-normal spread with σ = 0.5, in random order of use: a maximum is its filter's scale times one of them. */
const SPREAD = Float32Array.from({ length: 4096 }, (_, i) =>
  Math.exp(0.5 * normalQuantile((i + 0.5) / 4096)),
);

/** What a filter is like. */
interface Traits {
  /** Blank where a random 32-bit number is below. */
  readonly blankBelow: Uint32Array;
  readonly scale: Float32Array;
  /** Mean zeros where it is not blank, as a share of 65,536. */
  readonly zeros: Uint32Array;
}

/** Readings of images that nobody ever saw. */
export interface ReadingsGenerator {
  /** The readings of an image, into arrays that the next image may use again. They follow from the number alone. */
  fill(image: number, readings: Readings): void;
}

/**
 * Readings as VGG16 gives them on photographs, as far as their size goes: zero shares grow with depth, few filters of early layers
 * and many of late ones are blank, maxima spread over half a dozen octaves, and images differ as a whole.
 * @param variant another network: every twentieth filter is blank more often
 */
export function createReadingsGenerator(layers: readonly ConvolutionLayer[], variant = 0): ReadingsGenerator {
  const { blankBelow, scale, zeros: meanZeros } = traitsOf(layers, variant);
  return {
    fill(image, { zeros, max, mean, position }) {
      const random = xorshift(image);
      const mood = random() % 16_384; // of the image: up to a quarter more zeros in each filter
      let filter = 0;
      for (const { filters, positions } of layers) {
        for (const end = filter + filters; filter < end; filter++) {
          const bits = random();
          if (bits < blankBelow[filter]) {
            zeros[filter] = positions;
            max[filter] = mean[filter] = position[filter] = 0;
            continue;
          }
          const share = Math.min(meanZeros[filter] + mood + (bits & 0x1fff), 65_000);
          zeros[filter] = (share * positions) >>> 16;
          max[filter] = scale[filter] * SPREAD[bits & 4095];
          mean[filter] = max[filter] / 8;
          position[filter] = (bits >>> 8) % positions;
        }
      }
    },
  };
}

/** Room for one image's readings. */
export function emptyReadings(layers: readonly ConvolutionLayer[]): Readings {
  const count = filterCount(layers);
  return {
    zeros: new Uint16Array(count),
    max: new Float32Array(count),
    mean: new Float32Array(count),
    position: new Uint16Array(count),
  };
}

function traitsOf(layers: readonly ConvolutionLayer[], variant: number): Traits {
  const random = xorshift(20_260_715);
  const share = () => random() / 2 ** 32;
  const count = filterCount(layers);
  const traits: Traits = {
    blankBelow: new Uint32Array(count),
    scale: new Float32Array(count),
    zeros: new Uint32Array(count),
  };
  let filter = 0;
  for (const { block, filters } of layers) {
    for (const end = filter + filters; filter < end; filter++) {
      const blank = share() ** 4 * (block / 5) ** 3;
      const more = variant > 0 && filter % 20 === 0 ? 0.05 * variant : 0;
      traits.blankBelow[filter] = Math.min(blank + more, 1) * (2 ** 32 - 1);
      traits.scale[filter] = 400 * 2 ** (2 * share() - block / 2);
      traits.zeros[filter] = (0.25 * share() + 0.1 * block) * 65_536;
    }
  }
  return traits;
}

/** Whole numbers below 2^32 (Marsaglia's xorshift), begun from a scrambled seed. */
function xorshift(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  for (let i = 0; i < 4; i++) next();
  return next;
}

/** Inverse of the standard normal distribution to 4.5e-4 (Abramowitz and Stegun 26.2.23). */
function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p);
  const t = Math.sqrt(-2 * Math.log(p));
  return -(
    t -
    (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
  );
}
