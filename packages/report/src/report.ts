import type { IndexDocument } from '@filterscope/runs/index-document';
import type { RunDocument } from '@filterscope/runs/run-document';
import type { ClassRow } from '@filterscope/results/class-separation';
import type { FilterRow, LayerRow } from '@filterscope/results/summaries';
import type { TopCrop } from '@filterscope/results/top-crops';
import type { ClassLine } from './class-lines.ts';
import type { FailureGroup } from './failure-groups.ts';

/** A filter that the report shows, with the crops it is strongest on. */
export interface ShownFilter {
  readonly row: FilterRow;
  readonly crops: readonly TopCrop[];
}

export interface SeparatingFilters {
  /** What p-values are adjusted over. */
  readonly family: string;
  /** The surest few of those with an adjusted p below 0.05. */
  readonly rows: readonly ClassRow[];
}

/** Everything that a report says. */
export interface Report {
  readonly document: RunDocument;
  readonly index: IndexDocument;
  readonly complete: boolean;
  readonly layers: readonly LayerRow[];
  readonly filters: readonly FilterRow[];
  /** Zero shares published for these very weights, by layer; undefined for any other weights. */
  readonly published: ReadonlyMap<string, number> | undefined;
  readonly mostSilent: readonly ShownFilter[];
  readonly leastSilent: readonly ShownFilter[];
  readonly failures: readonly FailureGroup[];
  readonly classes: readonly ClassLine[];
  /** Filters that tell a class from the rest, surest first; undefined where no class has a rest. */
  readonly separating: SeparatingFilters | undefined;
  readonly madeAt: Date;
  /** Version of the Filterscope that wrote the report. */
  readonly madeBy: string;
}
