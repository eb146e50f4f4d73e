/**
 * Like `Promise.all`, but waits for every promise before it throws the first one's error: nothing of the work goes on
 * behind the back of whoever tidies up after it.
 */
export async function settleAll<Results extends readonly unknown[]>(
  work: readonly [...{ [I in keyof Results]: Promise<Results[I]> }],
): Promise<Results> {
  await Promise.allSettled(work);
  return (await Promise.all(work)) as unknown as Results;
}
