import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts';

/** Answers each line with the same line, and keeps what it was sent. */
let received: string;
let proxy: FaultProxy;
let cleanUp: AsyncDisposableStack;

beforeEach(async () => {
  received = '';
  cleanUp = new AsyncDisposableStack();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      received += bytes.toString();
      socket.write(bytes);
    });
    socket.on('end', () => socket.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.defer(() => void server.close());
  const { port } = server.address() as { port: number };
  proxy = cleanUp.use(await startFaultProxy({ host: '127.0.0.1', port }));
});
afterEach(() => cleanUp.disposeAsync());

test('without a fault all bytes pass, and so does the end of a stream', async () => {
  const client = await connected();
  client.end('all of it');
  expect(await text(client)).toBe('all of it');
});

test('more than the buffers hold arrives whole and in order', async () => {
  const client = await connected();
  const sent = Array.from({ length: 400_000 }, (_, i) => `${i}\n`).join('');
  client.end(sent);
  expect((await text(client)) === sent).toBe(true);
});

test('latency delays both directions of an open connection, and nothing overtakes', async () => {
  const client = await connected();
  expect(await echo(client, 'before')).toBe('before');
  proxy.latency(60);
  const start = performance.now();
  client.write('1');
  await once(client, 'data');
  expect(performance.now() - start).toBeGreaterThan(115);
  client.write('2');
  proxy.latency(0);
  client.end('3');
  expect(await text(client)).toBe('23');
});

test('what a black hole swallows is lost, and its connections are reset when it is over', async () => {
  const [open, idle] = [await connected(), await connected()];
  expect(await echo(open, 'before')).toBe('before');
  proxy.blackHole();
  const fresh = await connected();
  await sink(open, 'lost');
  await sink(fresh, 'lost');
  const broken = [open, fresh].map(resetOf);
  await proxy.heal();
  await Promise.all(broken);
  expect(received).toBe('before');
  expect(await echo(idle, 'after')).toBe('after');
});

test('a black hole that then delivers keeps everything and its order', async () => {
  const open = await connected();
  proxy.blackHole({ thenDeliver: true });
  const fresh = await connected();
  await sink(open, 'kept ');
  await sink(fresh, 'kept ');
  expect(received).toBe('');
  await proxy.heal();
  open.end('and late');
  expect(await text(open)).toBe('kept and late');
  fresh.end('!');
  expect(await text(fresh)).toBe('kept !');
});

test('refused are new connections only, until healed, on the same port', async () => {
  const open = await connected();
  proxy.refuse();
  await expect(connected()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(await echo(open, 'still there')).toBe('still there');
  await proxy.heal();
  expect(await echo(await connected(), 'again')).toBe('again');
});

test('reset breaks the open connections and no later one', async () => {
  const clients = [await connected(), await connected()];
  for (const client of clients) await echo(client, 'x');
  expect(proxy.connections).toBe(2);
  const broken = clients.map(resetOf);
  proxy.reset();
  await Promise.all(broken);
  expect(await echo(await connected(), 'next')).toBe('next');
  expect(proxy.connections).toBe(1);
});

test('a cut closes each new connection after so many bytes from the server', async () => {
  const before = await connected();
  await echo(before, 'x');
  proxy.cutAfter(5);
  for (let i = 0; i < 2; i++) {
    const client = await connected();
    client.write('0123456789');
    expect(await text(client)).toBe('01234');
  }
  expect(await echo(before, '0123456789')).toBe('0123456789');
  await proxy.heal();
  expect(await echo(await connected(), '0123456789')).toBe('0123456789');
});

test('the end of the proxy closes its connections', async () => {
  const client = await connected();
  await echo(client, 'x');
  const broken = resetOf(client);
  await proxy[Symbol.asyncDispose]();
  await broken;
  await expect(connected()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

async function connected(): Promise<Socket> {
  const client = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
  cleanUp.defer(() => void client.destroy());
  await once(client, 'connect');
  return client;
}

async function echo(client: Socket, line: string): Promise<string> {
  client.write(line);
  const [bytes] = (await once(client, 'data')) as [Buffer];
  return bytes.toString();
}

/** Sends into the black hole, and waits until it has taken that. */
async function sink(client: Socket, line: string): Promise<void> {
  const bytes = proxy.swallowedBytes + line.length;
  client.write(line);
  await expect.poll(() => proxy.swallowedBytes, { interval: 1 }).toBe(bytes);
}

async function resetOf(client: Socket): Promise<void> {
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNRESET');
}
