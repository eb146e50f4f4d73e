import { FEW_CLUSTERS, type Clustered } from '@filterscope/results/clustered-rows';
import { described, type ClusterBy } from '@filterscope/results/cluster-sums';
import { count } from './format.ts';

/** What intervals by cluster rest on, in sentences. */
export function clusterNote(rows: readonly Clustered[], by: ClusterBy): string {
  const [{ clusters }] = rows;
  const effects = rows
    .flatMap((row) => [row.blankRateDesignEffect, row.zeroShareDesignEffect])
    .filter((effect) => effect !== null)
    .toSorted((a, b) => a - b);
  const spread =
    effects.length === 0
      ? 'no design effect: all images are equal'
      : `design effects ${number(effects[0])} … ${number(effects.at(-1)!)}, median ${number(effects[Math.floor(effects.length / 2)])}`;
  const lines = [
    `intervals by ${count(clusters)} clusters (${described(by)}), Student's t with ${count(clusters - 1)} degrees of freedom; ${spread}.`,
  ];
  if (clusters < FEW_CLUSTERS) {
    lines.push(
      `Below ${FEW_CLUSTERS} clusters these intervals are rather too narrow, more so with clusters of unequal size.`,
    );
  }
  return lines.join('\n');
}

const number = (effect: number) => String(Number(effect.toPrecision(3)));
