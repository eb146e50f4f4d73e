// `npm run reliability`: lets every fault of test/chaos/faults.test.ts happen and writes what became of it into
// docs/reliability.md. `-- --times 10` for ten repetitions of each.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { faultTable, type FaultOutcome } from '../test/support/fault-table.ts';

const [BEGIN, END] = ['<!-- faults: written by npm run reliability -->', '<!-- end of faults -->'];

const { times } = parseArgs({ options: { times: { type: 'string', default: '1' } } }).values;
if (!/^[1-9]\d*$/.test(times)) throw new Error('give --times a whole number of at least 1');

const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = await mkdtemp(join(tmpdir(), 'filterscope-reliability-'));
const file = join(scratch, 'faults.jsonl');
try {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--project', 'system', 'test/chaos/faults.test.ts'];
  const environment = { FILTERSCOPE_FAULTS_FILE: file, FILTERSCOPE_FAULTS_TIMES: times, CI: 'true' };
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  const lines = (await readFile(file, 'utf8').catch(() => '')).trim().split('\n').filter(Boolean);
  const outcomes = lines.map((line) => JSON.parse(line) as FaultOutcome);
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.version}`;
  const heading = `${outcomes.length} runs, written by \`npm run reliability -- --times ${times}\` on ${new Date().toISOString().slice(0, 10)}; ${machine}.`;
  const table = `${heading}\n\n${faultTable(outcomes)}`;
  process.stdout.write(`${table}\n`);
  if (code === 0) await replaceTable(join(root, 'docs', 'reliability.md'), table);
  else {
    process.stderr.write('Not every test passed; docs/reliability.md is as it was.\n');
    process.exitCode = 1;
  }
} finally {
  await rm(scratch, { recursive: true });
}

async function replaceTable(path: string, table: string): Promise<void> {
  const page = await readFile(path, 'utf8');
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${path} has no place for the table`);
  await writeFile(path, `${page.slice(0, from)}${BEGIN}\n${table}\n${page.slice(to)}`);
}
