import type { Commit } from './commit.ts';

/** What a log says of a chunk that was carried out; times in seconds. */
export function chunkLine({ startedAt, committedAt, ...commit }: Commit) {
  const { run, chunk, revision, attempt, rows, ok, failed, skipped, reused, stageSeconds } = commit;
  const seconds = (Date.parse(committedAt) - Date.parse(startedAt)) / 1000;
  return { run, chunk, revision, attempt, rows, ok, failed, skipped, reused, seconds, stageSeconds };
}
