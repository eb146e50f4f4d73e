import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { startRelay, type Relay } from './relay.ts';

/** A TCP proxy whose line can be made bad. Faults add up until `heal`. */
export interface FaultProxy extends AsyncDisposable {
  /** Of 127.0.0.1. Stays the same. */
  readonly port: number;
  /** How many connections clients have open now. */
  readonly connections: number;
  /** How many bytes the last black hole has swallowed or kept. */
  readonly swallowedBytes: number;
  /** Every byte arrives this many milliseconds late, in each direction, also on connections that are open. */
  latency(ms: number): void;
  /**
   * Nothing arrives any more, in either direction, also on connections that are open, and nothing is closed; new connections
   * are accepted. What is sent meanwhile is lost, and the connections that lost something are reset by `heal`; with
   * `thenDeliver` it is kept instead, and arrives late, in order, on `heal`, as after a break of the line that TCP survives.
   */
  blackHole(options?: { readonly thenDeliver?: boolean }): void;
  /** New connections are refused; those that are open stay. */
  refuse(): void;
  /** Resets (RST) all connections that are open now; new ones work. */
  reset(): void;
  /** Each new connection is closed after this many bytes from the server. */
  cutAfter(bytes: number): void;
  /** Ends all faults; resolves when new connections are accepted again. */
  heal(): Promise<void>;
}

/** What a line does to bytes. */
export interface LineState {
  latencyMs: number;
  hole: 'none' | 'lose' | 'keep';
  swallowedBytes: number;
}

/** Starts a proxy on a free port of loopback that forwards to a server. */
export async function startFaultProxy(target: { host: string; port: number }): Promise<FaultProxy> {
  const line: LineState = { latencyMs: 0, hole: 'none', swallowedBytes: 0 };
  const relays = new Set<Relay>();
  let cutBytes = Infinity;
  const accept = (client: Socket) => {
    const relay = startRelay(client, connect({ ...target, allowHalfOpen: true }), line, cutBytes);
    relays.add(relay);
    void relay.closed.then(() => relays.delete(relay));
  };
  let server = await listen(0, accept);
  const { port } = server.address() as { port: number };
  return {
    port,
    get connections() {
      return relays.size;
    },
    get swallowedBytes() {
      return line.swallowedBytes;
    },
    latency(ms) {
      line.latencyMs = ms;
    },
    blackHole({ thenDeliver = false } = {}) {
      line.swallowedBytes = 0;
      line.hole = thenDeliver ? 'keep' : 'lose';
    },
    refuse() {
      server.close();
    },
    reset() {
      for (const relay of relays) relay.reset();
    },
    cutAfter(bytes) {
      cutBytes = bytes;
    },
    async heal() {
      line.latencyMs = 0;
      line.hole = 'none';
      cutBytes = Infinity;
      for (const relay of relays) relay.heal();
      if (!server.listening) server = await listen(port, accept);
    },
    async [Symbol.asyncDispose]() {
      const open = [...relays];
      server.close();
      for (const relay of open) relay.reset();
      await Promise.all(open.map((relay) => relay.closed));
    },
  };
}

async function listen(port: number, accept: (client: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
