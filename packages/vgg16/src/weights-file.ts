import { createHash } from 'node:crypto';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { isHdf5, openKerasH5 } from './keras-h5.ts';
import { layersOf, type LayerArray } from './layer-arrays.ts';
import { LAYERS, networkDepth, type ConvolutionLayer } from './layers.ts';
import { decodeSafetensors, encodeSafetensors, type Tensor, type TensorFile } from './safetensors.ts';
import type { ConvolutionWeights, Flavour, Weights } from './weights.ts';

const KERAS_NAME = /^(?:.*\/)?(block\d_conv\d)\/(kernel|bias)(?::0)?$/;
const TORCHVISION_NAME = /^(?:module\.|model\.)*features\.(\d+)\.(weight|bias)$/;

/**
 * The weights in a file, which may hold any of the thirteen convolutions; a convolution counts when both its kernel
 * and its bias are there, and everything else in the file is left alone.
 *
 * - HDF5, recognised by its signature, as Keras has saved it over the years: groups `block1_conv1` … anywhere, with a
 *   rank-4 kernel HWIO and a rank-1 bias below;
 * - safetensors in Keras naming (`block1_conv1/kernel` HWIO, `block1_conv1/bias`) or torchvision naming
 *   (`features.0.weight` OIHW, `features.0.bias`, also behind `module.` or `model.`).
 *
 * The flavour is `options.flavour`, else the metadata `flavour`, else that of the naming. The metadata `synthetic: 'true'`
 * marks the seeded network.
 * @throws FilterscopeError `bad-weights-file`, naming the file and, where there is one, the array with the shape found
 * and the shape expected.
 */
export async function parseWeights(
  bytes: Uint8Array,
  fileName: string,
  options: { readonly flavour?: Flavour } = {},
): Promise<Weights> {
  if (isHdf5(bytes)) {
    using file = await openKerasH5(bytes, fileName);
    const layers = recognised(await layersOf(file.arrays, fileName), fileName, file.names);
    return { flavour: options.flavour ?? 'keras', synthetic: false, name: fileName, layers };
  }
  const { tensors, metadata } = decode(bytes, fileName);
  const arrays = [...tensors].flatMap(([name, tensor]) => layerArray(name, tensor));
  const naming = namingOf(arrays, fileName);
  const names = [...tensors.keys()];
  if (naming === 'torchvision' && names.some((name) => name.endsWith('.running_mean'))) {
    throw bad(
      `${fileName} holds VGG16 with batch normalisation (vgg16_bn), a different network; use vgg16's weights`,
    );
  }
  const layers = recognised(await layersOf(arrays, fileName), fileName, names);
  const flavour = options.flavour ?? metadataFlavour(metadata, fileName) ?? naming;
  const synthetic = metadata.get('synthetic') === 'true';
  return { flavour, synthetic, name: synthetic ? 'synthetic' : fileName, layers };
}

/**
 * Makes sure that the network can be built down to the deepest of `layers`.
 * @throws FilterscopeError `missing-layer` naming what is missing and, where the weights hold a beginning of the
 * network, the `--layers` that they are enough for.
 */
export function requireLayers(weights: Weights, layers: readonly ConvolutionLayer[]): void {
  const missing = LAYERS.slice(0, networkDepth(layers)).filter(({ layer }) => !weights.layers.has(layer));
  if (missing.length === 0) return;
  const names = missing.map(({ layer }) => layer).join(', ');
  const complete = LAYERS.findIndex(({ layer }) => !weights.layers.has(layer));
  const advice =
    complete === 0
      ? 'use weights that hold the network from block1_conv1 on'
      : `use --layers ..${LAYERS[complete - 1].layer}, or weights that hold them`;
  const message = `the weights ${weights.name} lack the kernel or the bias of ${names}: ${advice}`;
  throw new FilterscopeError('missing-layer', message);
}

/**
 * The one file that stands for these weights: safetensors in Keras naming, layers in network order, kernel before bias.
 * Bytes and digest depend on the numbers, the flavour and `synthetic` alone, wherever the weights came from, and
 * {@link parseWeights} gives the same weights back. `sha256` is in lower-case hexadecimal.
 */
export function canonicalWeights(weights: Weights): { bytes: Uint8Array<ArrayBuffer>; sha256: string } {
  const tensors: Record<string, Tensor> = {};
  for (const { layer, inputs, filters } of LAYERS) {
    const found: ConvolutionWeights | undefined = weights.layers.get(layer);
    if (found === undefined) continue;
    tensors[`${layer}/kernel`] = { dtype: 'F32', shape: [3, 3, inputs, filters], data: found.kernel };
    tensors[`${layer}/bias`] = { dtype: 'F32', shape: [filters], data: found.bias };
  }
  const metadata = { flavour: weights.flavour, ...(weights.synthetic ? { synthetic: 'true' } : {}) };
  const bytes = encodeSafetensors(tensors, metadata);
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function decode(bytes: Uint8Array, fileName: string): TensorFile {
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
    const advice = "save the state_dict with safetensors.torch.save_file, or a Keras model's weights as .h5";
    throw bad(`${fileName} is a zip archive, such as PyTorch's .pth and Keras's .keras: ${advice}`);
  }
  try {
    return decodeSafetensors(bytes);
  } catch (cause) {
    if (!(cause instanceof FilterscopeError)) throw cause;
    throw bad(`${fileName} is no HDF5 file and ${cause.message}`, cause);
  }
}

function layerArray(name: string, { shape, data }: Tensor): LayerArray[] {
  const common = { name, shape, read: () => data };
  const [, layer, part] = KERAS_NAME.exec(name) ?? [];
  if (layer !== undefined)
    return [{ ...common, layer, part: part === 'bias' ? 'bias' : 'kernel', layout: 'HWIO' }];
  const [, index, torchPart] = TORCHVISION_NAME.exec(name) ?? [];
  const found = LAYERS.find(({ torchIndex }) => String(torchIndex) === index);
  if (found === undefined) return [];
  return [{ ...common, layer: found.layer, part: torchPart === 'bias' ? 'bias' : 'kernel', layout: 'OIHW' }];
}

function namingOf(arrays: readonly LayerArray[], fileName: string): Flavour {
  const layouts = new Set(arrays.map(({ layout }) => layout));
  if (layouts.size > 1) throw bad(`${fileName} mixes Keras's and torchvision's names; keep those of one`);
  return layouts.has('OIHW') ? 'torchvision' : 'keras';
}

function metadataFlavour(metadata: ReadonlyMap<string, string>, fileName: string): Flavour | undefined {
  const flavour = metadata.get('flavour');
  if (flavour === undefined || flavour === 'keras' || flavour === 'torchvision') return flavour;
  throw bad(
    `${fileName} says flavour "${flavour}"; there are keras and torchvision: choose one with --flavour`,
  );
}

function recognised<T>(layers: Map<string, T>, fileName: string, names: readonly string[]): Map<string, T> {
  if (layers.size > 0) return layers;
  const some = names.slice(0, 5).join(', ') + (names.length > 5 ? ', …' : '');
  const wanted = 'block1_conv1/kernel and block1_conv1/bias, or features.0.weight and features.0.bias';
  throw bad(
    `${fileName} holds no complete convolution of VGG16 (such as ${wanted}); it holds ${some || 'nothing'}`,
  );
}

function bad(message: string, cause?: unknown): FilterscopeError {
  return new FilterscopeError('bad-weights-file', message, { cause });
}
