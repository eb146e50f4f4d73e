/** How fast a counter has grown lately, a second. */
export interface SlidingRate {
  /** @returns growth a second over the window, or over the time since the beginning when that is shorter */
  update(total: number): number;
}

export function createSlidingRate(
  windowMs: number,
  now: () => number = () => performance.now(),
): SlidingRate {
  const points = [{ at: now(), total: 0 }];
  return {
    update(total) {
      const at = now();
      points.push({ at, total });
      while (points.length > 2 && points[1].at < at - windowMs) points.shift();
      const [first] = points;
      return at > first.at ? ((total - first.total) / (at - first.at)) * 1000 : 0;
    },
  };
}
