import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { LineState } from './fault-proxy.ts';

/** One connection through a fault proxy. */
export interface Relay {
  /** Settles, and never rejects, when both ends are closed. */
  readonly closed: Promise<unknown>;
  /** Resets (RST) both ends. */
  reset(): void;
  /** Delivers what a black hole kept, or resets the connection if one swallowed something of it. */
  heal(): void;
}

/** What travels: bytes, the end of a stream, or a broken connection. */
type Parcel = Buffer | 'end' | 'break';

/**
 * Joins a client and a server.
 * @param line what the line does at this moment; it may change under way
 * @param cutBytes the connection is closed after so many bytes from the server
 */
export function startRelay(client: Socket, server: Socket, line: LineState, cutBytes: number): Relay {
  let swallowed = false;
  const reset = () => {
    client.resetAndDestroy();
    server.resetAndDestroy();
  };
  const flushes = [direction(client, server, Infinity), direction(server, client, cutBytes)];

  function direction(from: Socket, to: Socket, limitBytes: number): () => void {
    const kept: Parcel[] = [];
    let leftBytes = limitBytes;
    const deliver = (parcel: Parcel) => {
      if (line.hole !== 'none' && parcel instanceof Buffer) line.swallowedBytes += parcel.length;
      if (line.hole === 'lose') swallowed = true;
      else if (line.hole === 'keep') kept.push(parcel);
      else if (parcel === 'break') reset();
      else if (parcel === 'end') to.end();
      else pass(parcel);
    };
    const pass = (bytes: Buffer) => {
      if (to.destroyed) return;
      if (bytes.length < leftBytes) {
        leftBytes -= bytes.length;
        if (!to.write(bytes)) void waitForRoom(from, to);
        return;
      }
      to.end(bytes.subarray(0, leftBytes));
      leftBytes = 0;
      from.destroy();
      to.destroySoon();
    };
    // Each timer delivers the first parcel that waits, so that none overtakes another when the latency changes.
    const underWay: Parcel[] = [];
    const send = (parcel: Parcel) => {
      if (line.latencyMs === 0 && underWay.length === 0) {
        deliver(parcel);
        return;
      }
      underWay.push(parcel);
      setTimeout(() => deliver(underWay.shift()!), line.latencyMs);
    };
    from.on('data', send);
    from.on('end', () => send('end'));
    from.on('error', () => send('break'));
    return () => {
      for (const parcel of kept.splice(0)) deliver(parcel);
    };
  }

  return {
    closed: Promise.all([once(client, 'close'), once(server, 'close')].map((end) => end.catch(() => {}))),
    reset,
    heal() {
      if (swallowed) reset();
      else for (const flush of flushes) flush();
    },
  };
}

/** Reads no more until what was written has gone. */
async function waitForRoom(from: Socket, to: Socket): Promise<void> {
  from.pause();
  await Promise.race([once(to, 'drain'), once(to, 'close')]).catch(() => {});
  from.resume();
}
