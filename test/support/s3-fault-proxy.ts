import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

const IDLE_MS = 600_000;

/** A request that reached the proxy. */
export interface S3Request {
  /** From 0, in order of arrival. */
  readonly number: number;
  readonly method: string;
  /** As sent: `/bucket/key?query`, percent-encoded. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/**
 * What happens to a request:
 * - `pass`: it is forwarded, and so is the answer;
 * - `{ status, code }`: the proxy answers this S3 error (`503`, `SlowDown`), and S3 never hears of the request;
 * - `cut-body`: it is forwarded; of the answer's body half is sent, then the connection is closed (and reset, where the answer
 *   has no body to cut);
 * - `reset-after`: it is forwarded and carried out; the connection is reset instead of answered.
 */
type S3Fate =
  | 'pass'
  | 'cut-body'
  | 'reset-after'
  | { readonly status: number; readonly code: string; readonly message?: string };

/**
 * Is asked before a request is forwarded. A promise holds the request until it settles: for ever, or until a test lets it go;
 * then it is carried out even when its client has given up meanwhile.
 */
export type S3Fates = (request: S3Request) => S3Fate | Promise<S3Fate>;

export interface S3FaultProxy extends AsyncDisposable {
  /** What clients take for S3; they must use path style. */
  readonly endpoint: string;
  /** How many requests have arrived. */
  readonly requests: number;
  /** Decides on all requests from now on. */
  decide(fates: S3Fates): void;
  /** Lets all requests pass from now on. */
  heal(): void;
}

/**
 * Starts a proxy for S3 requests on a free port of loopback. It changes nothing in a request, the Host header least of all: a
 * signature covers it, and so S3 must judge signatures by the Host header that it gets.
 * @param endpoint of S3, `http://…`
 */
export async function startS3FaultProxy(endpoint: string, fates: S3Fates = pass): Promise<S3FaultProxy> {
  const { protocol, hostname, port } = new URL(endpoint);
  if (protocol !== 'http:') throw new Error(`${endpoint}: the fault proxy speaks http only`);
  let decide = fates;
  let requests = 0;
  // An idle connection is S3's to close; Node's own 5 s would be a fault that nobody asked for.
  const server = createServer({ keepAliveTimeout: IDLE_MS }, (request, response) => {
    const { method = '', url: path = '', headers, socket } = request;
    const fate = decide({ number: requests++, method, path, headers });
    Promise.all([fate, buffer(request)])
      .then(([fate, body]) =>
        carryOut(fate, socket, response, () => sendOn(request, body, { hostname, port })),
      )
      // The client has gone, or S3 has: either way all that is left is to close.
      .catch(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    get requests() {
      return requests;
    },
    decide(fates) {
      decide = fates;
    },
    heal() {
      decide = pass;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function pass(): S3Fate {
  return 'pass';
}

async function carryOut(
  fate: S3Fate,
  socket: Socket,
  response: ServerResponse,
  forward: () => Promise<IncomingMessage>,
): Promise<void> {
  if (typeof fate === 'object') {
    const { status, code, message = 'Injected by the fault proxy.' } = fate;
    const text = `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
    const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${text}`);
    response.writeHead(status, { 'content-type': 'application/xml', 'content-length': body.length });
    response.end(body);
    return;
  }
  const answer = await forward();
  if (fate === 'pass') {
    response.writeHead(answer.statusCode!, answer.statusMessage, answer.rawHeaders);
    await pipeline(answer, response);
    return;
  }
  const body = await buffer(answer);
  if (fate === 'reset-after' || body.length === 0) {
    socket.resetAndDestroy();
    return;
  }
  response.writeHead(answer.statusCode!, answer.statusMessage, answer.rawHeaders);
  response.write(body.subarray(0, body.length >> 1), () => socket.destroySoon());
}

async function sendOn(
  request: IncomingMessage,
  body: Buffer,
  target: { hostname: string; port: string },
): Promise<IncomingMessage> {
  const { method, url: path, rawHeaders: headers } = request;
  const onward = httpRequest({ ...target, method, path, headers, setHost: false, agent: false });
  const answered = once(onward, 'response') as Promise<[IncomingMessage]>;
  // S3 may answer, and close, before it has read the whole body: then the answer counts.
  onward.on('error', () => {});
  onward.end(body);
  const [answer] = await answered;
  return answer;
}
