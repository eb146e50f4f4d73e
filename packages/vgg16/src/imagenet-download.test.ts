import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fetchImagenetWeights, type FetchImagenetOptions } from './imagenet-download.ts';

const CONTENT = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 3);
const MD5 = createHash('md5').update(CONTENT).digest('hex');
const NAME = 'vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5';
const HALF = 150_000;

let cacheDirectory: string;
let server: Server | undefined;

beforeEach(async () => {
  cacheDirectory = await mkdtemp(join(tmpdir(), 'filterscope-'));
});

afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  await rm(cacheDirectory, { recursive: true });
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}/weights.h5`;
}

/** Sends all, or the range asked for. */
const ranges: RequestListener = (request, response) => {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (from >= CONTENT.length) return response.writeHead(416).end();
  const headers = { 'content-length': CONTENT.length - from };
  return response.writeHead(from > 0 ? 206 : 200, headers).end(CONTENT.subarray(from));
};

const fetchFrom = (url: string, options: Partial<FetchImagenetOptions> = {}): Promise<{ path: string }> =>
  fetchImagenetWeights({ url, md5: MD5, cacheDirectory, ...options });

const files = (): Promise<string[]> => readdir(cacheDirectory);

test('downloads once, reports progress, and answers from the cache afterwards', async () => {
  let requests = 0;
  const url = await serve((request, response) => {
    requests++;
    ranges(request, response);
  });
  const progress: [number, number | null][] = [];
  const { path } = await fetchFrom(url, { onProgress: (...numbers) => progress.push(numbers) });
  expect(Buffer.compare(await readFile(path), CONTENT)).toBe(0);
  expect(progress[0]).toEqual([0, CONTENT.length]);
  expect(progress.at(-1)).toEqual([CONTENT.length, CONTENT.length]);
  await expect(fetchFrom(url)).resolves.toEqual({ path });
  expect(requests).toBe(1);
  expect(await files()).toEqual([NAME]);
});

test('a download cut short is taken up where it broke', async () => {
  const asked: (string | undefined)[] = [];
  const cut = Promise.withResolvers<void>();
  const url = await serve((request, response) => {
    asked.push(request.headers.range);
    if (asked.length > 1) return ranges(request, response);
    response.writeHead(200, { 'content-length': CONTENT.length }).write(CONTENT.subarray(0, HALF));
    void cut.promise.then(() => response.destroy());
    return response;
  });
  const onProgress = (received: number): void => {
    if (received === HALF) cut.resolve();
  };
  const broken = {
    code: 'weights-unavailable',
    class: 'transient',
    message: expect.stringContaining('broke'),
  };
  await expect(fetchFrom(url, { onProgress })).rejects.toMatchObject(broken);
  expect(await files()).toEqual([`${NAME}.part`]);
  const { path } = await fetchFrom(url);
  expect(asked).toEqual([undefined, `bytes=${HALF}-`]);
  expect(Buffer.compare(await readFile(path), CONTENT)).toBe(0);
});

test.each([
  ['a beginning', CONTENT.subarray(0, HALF)],
  ['everything', CONTENT],
  ['another file', new Uint8Array(1000)],
  ['another, longer file', new Uint8Array(CONTENT.length + 1)],
])('with %s left by an earlier download', async (_, left) => {
  await writeFile(join(cacheDirectory, `${NAME}.part`), left);
  const { path } = await fetchFrom(await serve(ranges));
  expect(Buffer.compare(await readFile(path), CONTENT)).toBe(0);
  expect(await files()).toEqual([NAME]);
});

test('what a killed process left is taken up, what another one is writing is not', async () => {
  const killed = join(cacheDirectory, `${NAME}.1.part`);
  const alive = `${NAME}.2.part`;
  await writeFile(killed, CONTENT.subarray(0, HALF));
  await utimes(killed, 1, 1);
  await writeFile(join(cacheDirectory, alive), 'other');
  const progress: number[] = [];
  await fetchFrom(await serve(ranges), { onProgress: (received) => progress.push(received) });
  expect(progress[0]).toBe(HALF);
  expect((await files()).toSorted()).toEqual([NAME, alive]);
});

test('a server without ranges sends everything anew', async () => {
  await writeFile(join(cacheDirectory, `${NAME}.part`), CONTENT.subarray(0, HALF));
  const url = await serve((_, response) => response.end(CONTENT));
  const { path } = await fetchFrom(url);
  expect(Buffer.compare(await readFile(path), CONTENT)).toBe(0);
});

test('two downloads at once end with the same file', async () => {
  const url = await serve(ranges);
  const [first, second] = await Promise.all([fetchFrom(url), fetchFrom(url)]);
  expect(first).toEqual(second);
  expect(Buffer.compare(await readFile(first.path), CONTENT)).toBe(0);
  expect(await files()).toEqual([NAME]);
});

test('wrong bytes are refused and deleted', async () => {
  const url = await serve((_, response) => response.end('<html>Please log in</html>'));
  await expect(fetchFrom(url)).rejects.toMatchObject({
    code: 'checksum-mismatch',
    message: expect.stringContaining(MD5),
  });
  expect(await files()).toEqual([]);
});

test.each([
  [404, 'permanent'],
  [503, 'transient'],
])('status %i is %s', async (status, errorClass) => {
  const url = await serve((_, response) => response.writeHead(status).end('no'));
  const expected = {
    code: 'weights-unavailable',
    class: errorClass,
    message: expect.stringContaining(String(status)),
  };
  await expect(fetchFrom(url)).rejects.toMatchObject(expected);
  expect(await files()).toEqual([]);
});

test('nobody there', async () => {
  const url = await serve(ranges);
  server?.close();
  const expected = {
    code: 'weights-unavailable',
    class: 'transient',
    message: expect.stringContaining('ECONNREFUSED'),
  };
  await expect(fetchFrom(url)).rejects.toMatchObject(expected);
});

test('no answer in time', async () => {
  const url = await serve(() => {});
  const expected = {
    code: 'weights-unavailable',
    class: 'transient',
    message: expect.stringContaining('did not answer'),
  };
  await expect(fetchFrom(url, { connectTimeoutMs: 50 })).rejects.toMatchObject(expected);
});

test('no more bytes in time', async () => {
  const url = await serve((_, response) => void response.writeHead(200).write(CONTENT.subarray(0, HALF)));
  const expected = {
    code: 'weights-unavailable',
    class: 'transient',
    message: expect.stringContaining('sent nothing'),
  };
  await expect(fetchFrom(url, { stallTimeoutMs: 50 })).rejects.toMatchObject(expected);
  expect(await files()).toEqual([`${NAME}.part`]);
});

test('aborted while waiting and while receiving, with the reason given', async () => {
  const reason = new Error('enough');
  const waiting = new AbortController();
  const silent = await serve(() => waiting.abort(reason));
  await expect(fetchFrom(silent, { signal: waiting.signal })).rejects.toBe(reason);
  server?.closeAllConnections();
  server?.close();
  const receiving = new AbortController();
  const url = await serve((_, response) => void response.writeHead(200).write(CONTENT.subarray(0, HALF)));
  const onProgress = (received: number): void => {
    if (received > 0) receiving.abort(reason);
  };
  await expect(fetchFrom(url, { signal: receiving.signal, onProgress })).rejects.toBe(reason);
  expect(await files()).toEqual([`${NAME}.part`]);
});

test('a cache that cannot be written', async () => {
  await writeFile(join(cacheDirectory, 'file'), '');
  const inside = join(cacheDirectory, 'file', 'cache');
  const url = await serve(ranges);
  await expect(fetchFrom(url, { cacheDirectory: inside })).rejects.toMatchObject({
    code: 'cache-unwritable',
  });
});
