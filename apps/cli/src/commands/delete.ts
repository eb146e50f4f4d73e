import { createInterface } from 'node:readline/promises';
import { findRun } from '@filterscope/results/find-run';
import { deleteRun } from '@filterscope/runs/delete-run';
import type { Context } from '../context.ts';
import { count, shortRun } from '../format.ts';
import { openOutput } from '../open-output.ts';
import { say, writeJson } from '../terminal.ts';

/** `filterscope delete`: a run and its tables, gone. Asks first on a terminal. */
export async function deleteCommand(
  context: Context,
  name: string,
  options: { output: string; json: boolean; yes: boolean },
): Promise<void> {
  const { terminal, signal } = context;
  await using output = await openOutput(context, options.output);
  const { run, manifest } = await findRun(output, name, signal);
  if (!options.yes && process.stdin.isTTY) {
    const prompt = createInterface({ input: process.stdin, output: terminal.stderr });
    const answer = await prompt.question(
      `Delete run ${shortRun(run)} of ${count(manifest.images)} images? [y/N] `,
      { signal },
    );
    prompt.close();
    if (!/^y(es)?$/i.test(answer)) return say(terminal, 'Nothing was deleted.');
  }
  const deleted = await deleteRun(output, run, signal);
  if (options.json) await writeJson(terminal, { run, deleted });
  else say(terminal, `Run ${shortRun(run)} is deleted: ${count(deleted)} files.`);
}
