/** `node test/scale/complete-generated.ts OUTPUT RUN`: completes a run; says on stdout what it took. */
import { completeRun } from '@filterscope/runs/complete-run';
import { readRunDocument } from '@filterscope/runs/run-document';
import { openFolderStore } from '@filterscope/storage/folder-store';

/** What is said. */
export interface Completion {
  readonly ok: number;
  readonly duplicates: number;
  readonly seconds: number;
  /** Of all threads together. */
  readonly cpuSeconds: number;
  /** The most memory that was ever resident. */
  readonly peakBytes: number;
}

const [folder, run] = process.argv.slice(2);
await using output = openFolderStore(folder);
const document = await readRunDocument(output, run);
const begun = performance.now();
const index = await completeRun(document, output);
if (!index) throw new Error('a chunk has no commit');
const { user, system } = process.cpuUsage();
const completion: Completion = {
  ok: index.ok,
  duplicates: index.duplicates,
  seconds: (performance.now() - begun) / 1000,
  cpuSeconds: (user + system) / 1e6,
  peakBytes: process.resourceUsage().maxRSS * 1024,
};
process.stdout.write(`${JSON.stringify(completion)}\n`);
