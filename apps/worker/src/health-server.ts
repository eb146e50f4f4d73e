import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { Registry } from 'prom-client';

export interface HealthOptions {
  readonly host: string;
  readonly port: number;
  /** Whether another port will do when this one is taken, as for a second worker on a machine. */
  readonly anyPort: boolean;
}

/** What `/healthz`, `/readyz` and `/metrics` answer. */
export interface Health {
  /** False for a worker that should be replaced. */
  readonly healthy: () => boolean;
  /** False while Redis is away, and once the worker takes nothing new. */
  readonly ready: () => boolean;
  readonly registry: Registry;
}

export interface HealthServer extends AsyncDisposable {
  readonly url: string;
}

/** @throws FilterscopeError `port-taken`. */
export async function startHealthServer(health: Health, options: HealthOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    void respond(health, request, response);
  });
  server.headersTimeout = 5_000;
  server.requestTimeout = 5_000;
  await listen(server, options);
  const { address, port } = server.address() as AddressInfo;
  return {
    url: `http://${address.includes(':') ? `[${address}]` : address}:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function respond(
  health: Health,
  { method, url }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status, type, body } = await answer(health, method, url);
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(method === 'HEAD' ? '' : body);
}

const text = (status: number, body: string) => ({ status, type: 'text/plain; charset=utf-8', body });

async function answer({ healthy, ready, registry }: Health, method = '', url = '') {
  if (method !== 'GET' && method !== 'HEAD') return text(405, 'only GET\n');
  switch (url.split('?')[0]) {
    case '/healthz':
      return healthy() ? text(200, 'ok\n') : text(503, 'not working\n');
    case '/readyz':
      return ready() ? text(200, 'ready\n') : text(503, 'not ready\n');
    case '/metrics':
      return { status: 200, type: registry.contentType, body: await registry.metrics() };
    default:
      return text(404, 'there are /healthz, /readyz and /metrics\n');
  }
}

async function listen(server: Server, { host, port, anyPort }: HealthOptions): Promise<void> {
  const attempt = async (port: number) => {
    server.listen(port, host);
    await once(server, 'listening');
  };
  try {
    await attempt(port);
  } catch (cause) {
    const taken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
    if (taken && anyPort) return attempt(0);
    const message = `the health port ${host}:${port} cannot be had (${String(cause)}); choose another with --health-port`;
    throw new FilterscopeError('port-taken', message, { cause });
  }
}
