/** How often a function ran, and for how long in all. */
export interface Tally {
  readonly count: number;
  readonly totalMs: number;
}

/** What the host's log tells of ended invocations, by function. */
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
