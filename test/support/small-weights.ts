import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import { canonicalWeights } from '@filterscope/vgg16/weights-file';

/** A file with only the first layers of the synthetic network: what a run stores is then small, too. @returns its path. */
export async function writeSmallWeights(folder: string, depth = 2): Promise<string> {
  const weights = syntheticWeights();
  const { bytes } = canonicalWeights({ ...weights, layers: new Map([...weights.layers].slice(0, depth)) });
  const path = join(folder, 'small.safetensors');
  await writeFile(path, bytes);
  return path;
}
