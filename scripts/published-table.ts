/**
 * Prints, as Markdown, the zero shares of the first four layers over the photos of `../shared/data` beside the published
 * ones, for both flavours' real weights: `node scripts/published-table.ts`.
 */
import { PUBLISHED_ZERO_SHARES } from '@filterscope/vgg16/published';
import type { Flavour } from '@filterscope/vgg16/weights';
import { photoZeroShares, sharedPhotos } from '../test/support/photo-zero-shares.ts';

const percent = (share: number | null) => (100 * (share ?? NaN)).toFixed(2);

async function columns(flavour: Flavour): Promise<string[][]> {
  const rows = await photoZeroShares(flavour);
  return rows.map(({ layer, zeroShare, zeroShareLow, zeroShareHigh }) => [
    `${percent(zeroShare)} (${percent(zeroShareLow)} … ${percent(zeroShareHigh)})`,
    percent(PUBLISHED_ZERO_SHARES[flavour].get(layer) ?? null),
  ]);
}

const { length } = sharedPhotos();
if (length > 0) {
  const [keras, torchvision] = [await columns('keras'), await columns('torchvision')];
  const names = ['block1_conv1', 'block1_conv2', 'block2_conv1', 'block2_conv2'];
  const lines = names.map((name, i) => `| ${[name, ...keras[i], ...torchvision[i]].join(' | ')} |`);
  console.log(`| zero share, % | Keras's weights, ${length} photos (95 %) | published | torchvision's weights, ${length} photos (95 %) | published |
|---|---|---|---|---|
${lines.join('\n')}`);
}
