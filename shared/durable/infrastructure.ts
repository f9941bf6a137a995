/**
 * Whether a failure says that the work's process, its host, or a message of the task hub was lost, not that the work
 * failed. A failure crosses the task hub as text alone. Observed on the real host 4.1037 with the Durable extension
 * 3.19: a worker that is killed, none that is ready, a host that restarts them no more, a message that was taken over.
 */
export const isOfInfrastructure = (reason: string): boolean => SIGNS.some((sign) => sign.test(reason));

/**
 * The same of an activity. A function that takes too long is killed with its process, and newer hosts tell those that
 * ran beside it of the other one's time. Source: GrpcWorkerChannel.cs, RestartWorkerWithInvocationIdAsync.
 */
export const isLostActivity = (name: string, reason: string): boolean => {
  const [, late] =
    /Timeout value of [\d:.]+ (?:was )?exceeded by function:? '?(?:Functions\.)?([\w-]+)/.exec(reason) ?? [];
  return late === undefined ? isOfInfrastructure(reason) : late !== name;
};

const SIGNS = [
  /exited with code \d+/,
  /initialized language workers/,
  /worker restart retry count/,
  /pop ?receipt/i,
  /Non-Deterministic workflow/i,
  /could not parse its exception data/,
];
