import { destination, pino, type Level, type Logger } from 'pino';

/** A log of JSON lines on standard error. What could be a secret is not written. */
export function createLog(level: Level | 'silent'): Logger {
  const base = { pid: process.pid };
  return pino({ level, base, timestamp: pino.stdTimeFunctions.isoTime }, destination({ fd: 2, sync: true }));
}
