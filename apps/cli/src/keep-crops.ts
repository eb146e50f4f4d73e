import type { IndexDocument } from '@filterscope/runs/index-document';
import { makeAllCrops } from '@filterscope/runs/make-crops';
import { openManifest } from '@filterscope/runs/manifest';
import type { RunDocument } from '@filterscope/runs/run-document';
import { createWorkplace } from '@filterscope/runs/workplace';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Context } from './context.ts';
import { count } from './format.ts';
import { defaultThreads } from './open-engine.ts';
import { showProgress, type Progress } from './progress.ts';
import { say } from './terminal.ts';

export interface CompleteRun {
  readonly document: RunDocument;
  readonly index: IndexDocument;
  readonly dataset: ObjectStore;
  readonly output: ObjectStore;
}

/** Keeps what is missing of the pictures that crops are cut out of, showing progress. */
export async function keepCrops(
  { terminal, signal }: Context,
  { document, index, dataset, output }: CompleteRun,
): Promise<void> {
  const workplace = createWorkplace({ parallel: defaultThreads(), batch: 1 });
  const manifest = openManifest(output, document.run);
  let progress: Progress | undefined;
  const seen = { done: 0, missing: 0 };
  try {
    await makeAllCrops({
      document,
      index,
      dataset,
      output,
      manifest,
      workplace,
      onBegin(pictures) {
        say(terminal, `Keeping pictures of the ${count(pictures)} images in the filters' top lists …`);
        if (!terminal.log) progress = showProgress(terminal, pictures, { done: 0, failed: 0 });
      },
      onPicture(missing) {
        seen.done += 1;
        if (missing) seen.missing += 1;
        progress?.update({ done: seen.done, failed: seen.missing });
      },
      signal,
    });
  } finally {
    progress?.[Symbol.dispose]();
  }
  if (seen.missing > 0) {
    say(
      terminal,
      `${count(seen.missing)} of them have changed or are gone since they were analysed; their crops are missing.`,
    );
  }
}
