import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems give to outgoing connections (32768 and up): a client of a server that is down could
 * otherwise be given the server's own port, and the server could not come back. */
const FIRST = 20_000;
const LAST = 32_000;

/** Distinct ports of loopback on which nothing listens now. */
export async function freePorts(count: number): Promise<number[]> {
  const held: Awaited<ReturnType<typeof listenOn>>[] = [];
  while (held.length < count) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    const server = await listenOn(port);
    if (server !== undefined) held.push(server);
  }
  const ports: number[] = [];
  for (const server of held) {
    ports.push(server!.port);
    await server!.close();
  }
  return ports;
}

async function listenOn(port: number) {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch {
    return undefined;
  }
  return { port, close: () => new Promise<void>((resolve) => void server.close(() => resolve())) };
}
