/**
 * `node test/scale/million-run.ts [--images 10000,100000,1000000]`: how completion and questions grow with a run's images.
 * Without `--images`, writes docs/scale.md and its plot.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measureScale, READ_ROWS } from './measure-scale.ts';
import { scalePlot } from './scale-plot.ts';
import { scaleReport, type Scale } from './scale-report.ts';

const TIMES = 5;

const { images } = parseArgs({ options: { images: { type: 'string' } } }).values;
const sizes = (images ?? '10000,100000,1000000').split(',').map(Number);
const begun = performance.now();
const say = (line: string) =>
  process.stderr.write(`${((performance.now() - begun) / 1000).toFixed(0).padStart(4)} s  ${line}\n`);

say(`load ${loadavg()[0].toFixed(1)}`);
const scales: Scale[] = [];
for (const size of sizes) {
  const folder = await mkdtemp(join(tmpdir(), 'filterscope-scale-'));
  try {
    scales.push(await measureScale(folder, size, TIMES, say));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
const cores = `${availableParallelism()} cores`;
const machine = `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cores}, ${memory}, Node ${process.version}`;
const report = scaleReport({ machine, scales, times: TIMES, readRows: READ_ROWS });
process.stdout.write(report);
if (images === undefined) {
  const docs = fileURLToPath(new URL('../../docs', import.meta.url));
  await writeFile(join(docs, 'images', 'scale.svg'), scalePlot(scales));
  await writeFile(join(docs, 'scale.md'), report);
}
