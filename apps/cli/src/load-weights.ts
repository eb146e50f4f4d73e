import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { RunPlan } from '@filterscope/runs/plan-run';
import { fetchImagenetWeights } from '@filterscope/vgg16/imagenet-download';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import type { Flavour, Weights } from '@filterscope/vgg16/weights';
import { canonicalWeights, parseWeights } from '@filterscope/vgg16/weights-file';
import type { Environment } from './environment.ts';

export interface WeightsChoice {
  /** `imagenet`, `synthetic`, or a file. */
  readonly weights: string;
  readonly flavour?: Flavour;
}

/** @throws FilterscopeError for a file that is missing or not right, or a download that failed. */
export async function loadWeights(
  { weights, flavour }: WeightsChoice,
  environment: Environment,
  onProgress: (receivedBytes: number, totalBytes: number | null) => void,
  signal: AbortSignal,
): Promise<RunPlan['weights']> {
  const content = await chosen(weights, flavour, environment, onProgress, signal);
  const { bytes, sha256 } = canonicalWeights(content);
  // The same numbers as views of the canonical file, so that they are in memory once.
  const { layers } = await parseWeights(bytes, content.name);
  return { content: { ...content, layers }, bytes, sha256 };
}

async function chosen(
  weights: string,
  flavour: Flavour | undefined,
  { cacheDirectory, weightsUrl }: Environment,
  onProgress: (receivedBytes: number, totalBytes: number | null) => void,
  signal: AbortSignal,
): Promise<Weights> {
  if (weights === 'synthetic') {
    if (flavour === undefined || flavour === 'keras') return syntheticWeights();
    throw new FilterscopeError('bad-flavour', 'synthetic weights are of flavour keras; leave --flavour out');
  }
  if (weights === 'imagenet') {
    const url = weightsUrl === undefined ? {} : { url: weightsUrl };
    const { path } = await fetchImagenetWeights({ cacheDirectory, onProgress, signal, ...url }).catch(
      withAdvice,
    );
    return {
      ...(await parseWeights(await readFile(path), basename(path), flavour ? { flavour } : {})),
      name: 'imagenet',
    };
  }
  const bytes = await readFile(weights).catch((cause: unknown) => {
    const message = `the weights file ${weights} cannot be read; give a .h5 or .safetensors file, "imagenet" or "synthetic"`;
    throw new FilterscopeError('weights-missing', message, { cause });
  });
  return parseWeights(bytes, basename(weights), flavour ? { flavour } : {});
}

/** Says what else there is. */
function withAdvice(error: unknown): never {
  if (!(error instanceof FilterscopeError) || error.code !== 'weights-unavailable') throw error;
  const advice = 'give a file with --weights, or try things out with --weights synthetic';
  throw new FilterscopeError(
    error.code,
    `the ImageNet weights cannot be fetched (${error.message}); ${advice}`,
    {
      class: error.class,
      cause: error,
    },
  );
}
