/** The number of runs of a function, and their total duration. */
export interface Tally {
  readonly count: number;
  readonly totalMs: number;
}

/** The ended invocations in the host's log, by function. */
export interface Invocations {
  read(line: string): void;
  of(functionName: string): Tally;
}

const EXECUTED = /Executed 'Functions\.([\w-]+)' \(Succeeded, Id=[^,]+, Duration=(\d+)ms\)/;

export const invocationLog = (): Invocations => {
  const tallies = new Map<string, Tally>();
  const of = (functionName: string): Tally => tallies.get(functionName) ?? { count: 0, totalMs: 0 };
  return {
    of,
    read: (line) => {
      const [, name, ms] = EXECUTED.exec(line) ?? [];
      if (name === undefined) return;
      const { count, totalMs } = of(name);
      tallies.set(name, { count: count + 1, totalMs: totalMs + Number(ms) });
    },
  };
};
