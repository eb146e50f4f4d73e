import { setTimeout } from 'node:timers/promises';
import type { StubWorker } from './distributed-run.ts';

/** A figure of `/metrics`, summed over all series of this name that have these labels; 0 when there is none. */
export type Figures = (name: string, labels?: Readonly<Record<string, string>>) => number;

/** Waits until a worker says where it serves its figures. */
export async function figuresUrl(worker: Pick<StubWorker, 'log'>): Promise<string> {
  for (;;) {
    const ready = worker.log().find(({ msg }) => msg === 'worker ready');
    if (ready) return String(ready['health']);
    await setTimeout(50);
  }
}

/** What a worker says of itself now. */
export async function readFigures(url: string): Promise<Figures> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return (name, labels = {}) => {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    return [...text.matchAll(/^filterscope_(\w+)(?:\{(.*)\})? (\S+)$/gm)]
      .filter(
        ([, found, given = '']) =>
          found === name && wanted.every((label) => given.split(',').includes(label)),
      )
      .reduce((sum, [, , , value]) => sum + Number(value), 0);
  };
}
