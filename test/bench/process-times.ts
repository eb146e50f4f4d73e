import { readdir, readFile } from 'node:fs/promises';

/** Linux counts a process's time in hundredths of a second. */
const TICKS_A_SECOND = 100;

interface ProcessTime {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly seconds: number;
}

/** Processor seconds so far of the whole machine, all cores together, whoever used them. */
export async function machineSeconds(): Promise<number> {
  const [line] = (await readFile('/proc/stat', 'utf8')).split('\n');
  const [user, nice, system, , , interrupts, softInterrupts, stolen] = line.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + interrupts + softInterrupts + stolen) / TICKS_A_SECOND;
}

/** Processor seconds so far of this process and all that it started, by kind; of what is alive. */
export async function processTimes(kindOf: (command: string) => string): Promise<Map<string, number>> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = (await Promise.all(pids.map(processTime))).flatMap((time) => time ?? []);
  const parents = new Map(found.map(({ pid, parent }) => [pid, parent]));
  const isOurs = (pid: number | undefined): boolean =>
    pid === process.pid || (pid !== undefined && pid !== 0 && isOurs(parents.get(pid)));
  const times = new Map<string, number>();
  for (const { pid, name, seconds } of found.filter(({ pid }) => isOurs(pid))) {
    const kind = pid === process.pid ? 'bench' : kindOf(name);
    times.set(kind, (times.get(kind) ?? 0) + seconds);
  }
  return times;
}

/** @returns undefined for a process that has just ended */
async function processTime(pid: string): Promise<ProcessTime | undefined> {
  const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
  const [stat, command] = [await read('stat'), await read('cmdline')];
  if (stat === '') return undefined;
  // After the name, which is in brackets and may hold anything: state, parent, …; the 12th and 13th are its times.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    pid: Number(pid),
    parent: Number(fields[1]),
    name: command.replaceAll('\0', ' '),
    seconds: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND,
  };
}
