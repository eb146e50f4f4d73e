/** `node test/scale/generate-chunks.ts OUTPUT RUN VARIANT READ_ROWS FIRST STEP`: one process's share of a generated run. */
import { readRunDocument } from '@filterscope/runs/run-document';
import { openFolderStore } from '@filterscope/storage/folder-store';
import { generateChunks } from './generated-run.ts';

const [folder, run, ...numbers] = process.argv.slice(2);
const [variant, readRows, first, step] = numbers.map(Number);
await using output = openFolderStore(folder);
await generateChunks(output, await readRunDocument(output, run), { variant, readRows }, { first, step });
