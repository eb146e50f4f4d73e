/**
 * Says an error at once, then the same one at most every `everyMs`, with how often it came meanwhile: a Redis that is away
 * makes thousands a second.
 */
export function throttleErrors(
  say: (error: Error, times: number) => void,
  everyMs: number,
  now: () => number = () => performance.now(),
): (error: Error) => void {
  const seen = new Map<string, { at: number; times: number }>();
  return (error) => {
    const last = seen.get(error.message);
    if (last && now() - last.at < everyMs) {
      last.times += 1;
      return;
    }
    if (seen.size > 100) seen.clear();
    seen.set(error.message, { at: now(), times: 0 });
    say(error, (last?.times ?? 0) + 1);
  };
}
