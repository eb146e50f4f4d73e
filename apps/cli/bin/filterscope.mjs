#!/usr/bin/env node
// Starts the command on the pinned Node, whatever Node started this file, with memory handled as an engine needs it. Plain
// JavaScript, so that any Node can read it.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const node = pinnedNode();
// Young objects here are buffers of results: a small nursery for them saves 50 MB and costs no time. A heap that grows by a fifth
// at a time saves 70 MB of what listing a million objects leaves behind, and costs none either.
const args = ['--max-semi-space-size=4', '--heap-growing-percent=20', main, ...process.argv.slice(2)];
// glibc raises this threshold by itself once a large block is freed, and then keeps the gigabyte that building networks
// takes for a moment: 1.6 GB instead of 0.9 GB for two networks. It is read when a process starts.
// ONNX Runtime's builds report their use to its makers unless told not to.
// libuv decodes images in four threads unless told, however many cores there are.
// What was compiled once is kept, where that folder can be written to: 0.1 s and 20 MB less a command.
const env = {
  MALLOC_MMAP_THRESHOLD_: '1048576',
  ORT_DISABLE_TELEMETRY: '1',
  UV_THREADPOOL_SIZE: String(Math.max(4, availableParallelism())),
  NODE_COMPILE_CACHE: fileURLToPath(new URL('../../../node_modules/.cache/filterscope', import.meta.url)),
  ...process.env,
};

if (process.execve && process.platform === 'linux') {
  process.execve(node, [node, ...args], env);
} else {
  const child = spawn(node, args, { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}

/** The Node that package.json pins; where that is not installed, as in an image, this one if it is new enough. */
function pinnedNode() {
  try {
    const pinned = dirname(createRequire(import.meta.url).resolve('node/package.json'));
    return join(pinned, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  } catch (cause) {
    if (Number.parseInt(process.versions.node, 10) >= 24) return process.execPath;
    throw new Error(`Node ${process.versions.node} is too old: use Node 24 or newer, or run "npm install"`, {
      cause,
    });
  }
}
