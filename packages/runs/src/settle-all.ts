/**
 * Like `Promise.all`, but waits for every promise before it throws the first one's error: nothing of the work goes on
 * behind the back of whoever tidies up after it.
 */
export async function settleAll<Work extends readonly Promise<unknown>[]>(
  work: readonly [...Work],
): Promise<{ -readonly [I in keyof Work]: Awaited<Work[I]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
