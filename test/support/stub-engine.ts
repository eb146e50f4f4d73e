import { createHash } from 'node:crypto';
import { filterCount, type Readings } from '@filterscope/statistics/readings';
import type { Engine, ImageResult, InferRequest, PreparedImage } from '@filterscope/vgg16/engine';
import type { ConvolutionLayer } from '@filterscope/vgg16/layers';

export interface StubEngine extends Engine {
  /** Images that it has measured. */
  readonly inferred: () => number;
}

/**
 * An engine without a network: sound readings, and maps where asked for, that follow from an image's bytes alone.
 * @param before waited for before each image; a test's way to hold an image back or to let the engine fail
 */
export function createStubEngine(
  layers: readonly ConvolutionLayer[],
  {
    parallel = 2,
    before = async () => {},
  }: {
    parallel?: number;
    before?: (image: PreparedImage) => Promise<void>;
  } = {},
): StubEngine {
  let inferred = 0;
  const infer = async (image: PreparedImage, request: InferRequest): Promise<ImageResult> => {
    await before(image);
    inferred += 1;
    const digest = createHash('sha256').update(image).digest();
    return { readings: readingsOf(layers, digest), ...mapsOf(layers, digest, request) };
  };
  return {
    identity: { name: 'stub', version: '1.0.0', processor: 'none' },
    parallel,
    batch: 1,
    inferred: () => inferred,
    infer: (images, request) => Promise.all(images.map((image) => infer(image, request))),
    async [Symbol.asyncDispose]() {},
  };
}

/** One filter in eight blank, all others with zeros, a maximum, its position and a mean. */
function readingsOf(layers: readonly ConvolutionLayer[], digest: Buffer): Readings {
  const count = filterCount(layers);
  const readings = {
    zeros: new Uint16Array(count),
    max: new Float32Array(count),
    mean: new Float32Array(count),
    position: new Uint16Array(count),
  };
  let filter = 0;
  for (const { filters, positions } of layers) {
    for (const end = filter + filters; filter < end; filter++) {
      const random = digest[filter % 32] * 256 + digest[(filter * 7 + 3) % 32];
      const blank = random % 8 === 0;
      readings.zeros[filter] = blank ? positions : random % positions;
      readings.max[filter] = blank ? 0 : 1 + random / 64;
      readings.mean[filter] = blank ? 0 : random / 4096;
      readings.position[filter] = blank ? 0 : random % positions;
    }
  }
  return readings;
}

function mapsOf(
  layers: readonly ConvolutionLayer[],
  digest: Buffer,
  { maps }: InferRequest,
): Pick<ImageResult, 'tiles' | 'activations'> {
  if (!maps) return {};
  const lengths = layers.map(({ filters, positions }) => filters * positions);
  if (maps.kind === 'activations')
    return { activations: lengths.map((length) => new Float32Array(length).fill(1 + digest[0])) };
  return { tiles: lengths.map((length) => new Uint8Array(length).fill(digest[0])) };
}
