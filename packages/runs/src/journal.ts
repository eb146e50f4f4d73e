/**
 * What attempts at a chunk have in hand, kept where it outlives their processes: rows that are taken up and never put down were
 * in hand when a process died.
 */
export interface ChunkJournal {
  /** Rows that earlier attempts never put down, and how many attempts each. */
  suspects(): Promise<ReadonlyMap<number, number>>;
  takeUp(row: number): Promise<void>;
  putDown(row: number): Promise<void>;
  /** A suspect came through alone: what was held against it is forgotten. */
  acquit(row: number): Promise<void>;
}

/** So many attempts ended with an image in hand: it is not tried again. */
export const DEADLY = 2;
