import { PREPROCESSING } from '@filterscope/vgg16/preprocessing';
import { recogniseImagenet } from '@filterscope/vgg16/recognise-imagenet';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import type { Weights } from '@filterscope/vgg16/weights';
import { canonicalWeights } from '@filterscope/vgg16/weights-file';
import { measured, notApplicable, type Check } from './check.ts';

/** SHA-256 of the synthetic network in its canonical file: the same bits on every machine. */
const SYNTHETIC_SHA256 = '02f22adf75b892d760c03bfb2e0e49068e220899bd35d9138b2deb752233fc37';

/**
 * Of `vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5`, Keras's file for ImageNet: block1_conv1's first ten biases, and
 * its kernel from the first input channel (blue) to the first filter, row by row.
 */
const KERAS_BIASES = [
  0.73429835, 0.093403675, 0.06775674, 0.8862966, 0.25994542, 0.66426694, -0.015828926, 0.3249065, 0.68600726,
  0.062479325,
];
const KERAS_KERNEL = [
  0.42947057, 0.373467, -0.061360113, 0.27476987, 0.038680777, -0.36722335, -0.05746817, -0.26224968,
  -0.35009676,
];
const FILTERS = 64;

/** Are the weights what they are taken for? */
export function weightsChecks(weights: Weights): Check[] {
  if (weights.synthetic) return [syntheticCheck(weights)];
  const name = 'weights: ImageNet';
  const known = recogniseImagenet(weights);
  const first = weights.layers.get('block1_conv1');
  if (known === null || first === undefined)
    return [
      notApplicable(
        name,
        `${weights.name} are not the published ImageNet weights: there are no known values`,
      ),
    ];
  const flavour: Check = measured(
    'weights: flavour',
    known === weights.flavour ? 0 : 1,
    0,
    `${weights.name} began as ${known}'s; pixels are prepared as ${weights.flavour} (${PREPROCESSING[weights.flavour].channels})`,
  );
  if (known === 'torchvision')
    return [
      flavour,
      notApplicable(name, 'of torchvision’s weights only the biases that they are recognised by are known'),
    ];
  const differences = [
    ...KERAS_BIASES.map((bias, i) => first.bias[i] - bias),
    ...KERAS_KERNEL.map((value, tap) => first.kernel[tap * 3 * FILTERS] - value),
  ];
  const deviation = Math.max(...differences.map(Math.abs));
  return [
    flavour,
    measured(
      name,
      deviation,
      1e-7,
      'ten biases and nine kernel values of block1_conv1 against those of Keras’s official file',
    ),
  ];
}

/** The whole made-up network as this machine computes it, and of it the layers that are at hand, bit by bit. */
function syntheticCheck(weights: Weights): Check {
  const whole = syntheticWeights();
  const { sha256 } = canonicalWeights(whole);
  const held = [...weights.layers].filter(([layer, { kernel, bias }]) => {
    const made = whole.layers.get(layer);
    return made !== undefined && sameBits(kernel, made.kernel) && sameBits(bias, made.bias);
  });
  const others = weights.layers.size - held.length + Number(sha256 !== SYNTHETIC_SHA256);
  const detail = `the made-up network computed here has SHA-256 ${sha256.slice(0, 12)}…, ${sha256 === SYNTHETIC_SHA256 ? 'as' : 'not as'} everywhere; ${held.length} of the ${weights.layers.size} layers at hand are its own`;
  return measured('weights: synthetic', others, 0, detail);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  Buffer.from(buffer, byteOffset, byteLength);
const sameBits = (a: Float32Array, b: Float32Array) => bytesOf(a).equals(bytesOf(b));
