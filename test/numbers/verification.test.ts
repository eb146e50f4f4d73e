import { beforeAll, describe, expect, test } from 'vitest';
import { createOnnxEngine } from '@filterscope/engines/onnx/onnx-engine';
import { openFolderStore } from '@filterscope/storage/folder-store';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { engineChecks } from '@filterscope/verification/engine-checks';
import { wallpaper } from '@filterscope/verification/pictures';
import { storeChecks } from '@filterscope/verification/store-checks';
import type { Engine, ImageResult, PreparedImage } from '@filterscope/vgg16/engine';
import { parseLayers } from '@filterscope/vgg16/layers';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import { temporaryFolders } from '../support/temporary-folders.ts';
import { catPhoto } from './pictures.ts';

// The checks of `verify` on engines and stores that are wrong in one thing each: none may hold that is about it.

const newFolder = temporaryFolders();
const signal = AbortSignal.timeout(600_000);
const layers = parseLayers('..block1_conv2');
const weights = syntheticWeights();
const photo = await catPhoto();
const open = (method: 'direct' | 'winograd') => createOnnxEngine({ weights, layers, threads: 1, method });

type Wrong = (result: ImageResult, asked: PreparedImage) => ImageResult;

const isPlain = (picture: PreparedImage) => picture.every((byte, i) => byte === picture[i % 3]);

function changed(result: ImageResult, layer: number, change: (maps: Float32Array) => void): ImageResult {
  if (!result.activations) return result;
  const activations = result.activations.map((maps) => maps.slice());
  change(activations[layer]);
  return { ...result, activations };
}

function oneMore<Values extends Uint16Array>(values: Values, index: number): Values {
  const more = values.slice() as Values;
  more[index] += 1;
  return more;
}

const WRONG: readonly (readonly [string, string, Wrong])[] = [
  [
    'a corner of the first layer',
    'convolution: first layer',
    (result) => changed(result, 0, (maps) => maps.fill(1 + maps[0], 0, 1)),
  ],
  [
    'a filter of the second layer, a hundredth too large',
    'convolution: deeper layers',
    (result) => changed(result, 1, (maps) => maps.set(maps.subarray(0, 50_176).map((value) => value * 1.01))),
  ],
  [
    'one zero too many',
    'readings',
    (result) => ({ ...result, readings: { ...result.readings, zeros: oneMore(result.readings.zeros, 100) } }),
  ],
  [
    'a maximum one position off',
    'readings',
    (result) => ({
      ...result,
      readings: { ...result.readings, position: oneMore(result.readings.position, 5) },
    }),
  ],
  [
    'one grey level two off',
    'tiles',
    (result) => {
      const tiles = result.tiles?.map((levels) =>
        levels.map((level, i) => (i === 7 ? (level + 2) % 256 : level)),
      );
      return tiles ? { ...result, tiles } : result;
    },
  ],
  [
    'a plain picture that is not plain in the middle',
    'padding: one colour',
    (result, asked) =>
      isPlain(asked)
        ? changed(result, 1, (maps) => maps.fill(maps[100 * 224 + 100] + 1, 22_500, 22_501))
        : result,
  ],
];

describe('an engine', () => {
  let right: Engine;
  let ofPhoto: ImageResult;
  beforeAll(async () => {
    right = await open('direct');
    [ofPhoto] = await right.infer([photo], { maps: { kind: 'activations' } });
    return () => right[Symbol.asyncDispose]();
  });

  /** Checks that fail when an engine's answers are changed in this way. @param other how those of the engine beside it are */
  async function failing(wrong: Wrong, other: Wrong = wrong): Promise<string[]> {
    const under = (change: Wrong) => ({
      engine: {
        ...right,
        infer: async (images: readonly PreparedImage[], ...rest: readonly [never, never]) =>
          (await right.infer(images, ...rest)).map((result, i) => change(result, images[i])),
        [Symbol.asyncDispose]: async () => undefined,
      },
      weights,
      layers,
      image: photo,
    });
    const checks = await Array.fromAsync(engineChecks(under(wrong), async () => under(other), signal));
    return checks.flatMap(({ check, status }) => (status === 'fails' ? [check] : []));
  }

  test('that is right holds', async () => {
    expect(await failing((result) => result)).toEqual([]);
  });

  test.each(WRONG)('%s: %s', async (_what, check, wrong) => {
    expect(await failing(wrong)).toContain(check);
  });

  test('maps that stay where they are though the picture moves', async () => {
    expect(
      await failing((result, asked) => (result.activations && !isPlain(asked) ? ofPhoto : result)),
    ).toEqual(['pooling: translation']);
  });

  test('two ways that differ', async () => {
    expect(await failing((result) => result, WRONG[1][2])).toEqual(['winograd']);
  });

  test('a picture by formula does where there is no photograph', async () => {
    const under = { engine: right, weights, layers, image: wallpaper };
    const other = async () => ({ ...under, engine: await open('winograd') });
    const checks = await Array.fromAsync(engineChecks(under, other, signal));
    expect(checks.filter(({ status }) => status !== 'holds')).toEqual([]);
  });
});

describe('a store', () => {
  test.each<[string, string, (store: ObjectStore) => Partial<ObjectStore>]>([
    [
      'that replaces what is there',
      'store: create once',
      (store) => ({ put: async (key, bytes) => store.put(key, bytes) }),
    ],
    [
      'that gives whole objects for a range',
      'store: read back',
      (store) => ({ get: (key, _range, stop) => store.get(key, undefined, stop) }),
    ],
  ])('%s: %s', async (_what, check, change) => {
    const store = openFolderStore(await newFolder());
    const checks = await storeChecks({ ...store, ...change(store) }, signal);
    expect(checks.flatMap(({ check, status }) => (status === 'fails' ? [check] : []))).toEqual([check]);
    expect(await Array.fromAsync(store.list(''))).toEqual([]);
  });
});
