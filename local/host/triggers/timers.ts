import { type Clock, FunctionFailedError, type TypedData, WorkerLostError } from "../contract.ts";
import type { Log } from "../log.ts";
import { StartError } from "../start-error.ts";
import type { AppFunction } from "./app-function.ts";
import { parseSchedule, type Schedule } from "./schedule.ts";
import { type TimerStatus, type TimerStatusFile, timerStatusFile } from "./timer-status.ts";

/** A shorter schedule is not watched for missed occurrences, as in the real extension. */
const MIN_WATCHED_MS = 60_000;

/** .NET's `DateTime.MinValue`: the last run of a timer that never ran. */
const NEVER = "0001-01-01T00:00:00+00:00";

export interface TimerTriggers {
  start(): void;
  /** After this, no timer fires. */
  stop(): void;
  /** The input of a timer function that runs outside its schedule. */
  input(functionName: string): TypedData | undefined;
}

interface Timer {
  start(): void;
  stop(): void;
  input(isPastDue: boolean): TypedData;
}

/**
 * The timer functions of the app. A timer never overlaps itself. One past-due run makes up for the occurrences that it
 * missed while it ran, or while the host was down. Failures are logged, and the schedule goes on.
 * @throws {StartError} when a schedule is invalid.
 */
export const timerTriggers = (
  functions: readonly AppFunction[],
  deps: { readonly clock: Clock; readonly dir: string; readonly log: Log },
): TimerTriggers => {
  const file = timerStatusFile(deps.dir);
  const timers = new Map(
    functions
      .filter(({ triggerType }) => triggerType === "timertrigger")
      .map((timer) => [timer.name, timerOf(timer, file, deps.clock, deps.log)]),
  );
  return {
    start() {
      for (const timer of timers.values()) timer.start();
    },
    stop() {
      for (const timer of timers.values()) timer.stop();
    },
    input: (functionName) => timers.get(functionName)?.input(false),
  };
};

const timerOf = (timer: AppFunction, file: TimerStatusFile, clock: Clock, log: Log): Timer => {
  const { name, trigger } = timer;
  const schedule = scheduleOf(timer);
  const watched = trigger["useMonitor"] !== false && isSlow(schedule, clock.now());
  const recorded = watched ? upToDate(file.get(name), schedule, clock.now()) : undefined;
  let status = recorded ?? { nextMs: schedule.next(clock.now()), updatedMs: clock.now() };
  let cancel = () => {};
  let stopped = false;

  const input = (isPastDue: boolean): TypedData => ({
    json: JSON.stringify({
      Schedule: { AdjustForDST: schedule.adjustForDst },
      ScheduleStatus: watched ? describe(status) : null,
      IsPastDue: isPastDue,
    }),
  });

  const wait = () => {
    if (!stopped) cancel = clock.at(status.nextMs, () => void fire(false, status.nextMs));
  };

  const fire = async (isPastDue: boolean, dueMs: number) => {
    const firedMs = clock.now();
    await ignoreFailure(timer.run(input(isPastDue)));
    // A clock may fire a little early; counted from that time, the same occurrence would come again.
    const lastMs = isPastDue ? firedMs : Math.max(firedMs, dueMs);
    status = { lastMs, nextMs: schedule.next(lastMs), updatedMs: lastMs };
    if (watched && !stopped) file.set(name, status);
    wait();
  };

  return {
    input,
    start() {
      if (watched) file.set(name, status);
      const isPastDue = status.nextMs < clock.now();
      if (isPastDue)
        log({ level: "information", category: `Function.${name}`, functionName: name, message: "Past due." });
      if (isPastDue || trigger["runOnStartup"] === true) void fire(isPastDue, clock.now());
      else wait();
    },
    stop() {
      stopped = true;
      cancel();
    },
  };
};

const scheduleOf = ({ name, trigger }: AppFunction): Schedule => {
  try {
    return parseSchedule(String(trigger["schedule"]));
  } catch (error) {
    throw new StartError(`${name}, schedule: ${error instanceof Error ? error.message : String(error)}`);
  }
};

const isSlow = (schedule: Schedule, nowMs: number): boolean => {
  const first = schedule.next(nowMs);
  return schedule.next(first) - first >= MIN_WATCHED_MS;
};

/** The recorded status, unless it is of another schedule, or of a clock that was ahead of this one. */
const upToDate = (recorded: TimerStatus | undefined, schedule: Schedule, nowMs: number): TimerStatus | undefined => {
  if (recorded === undefined || recorded.updatedMs > nowMs) return undefined;
  return schedule.next(recorded.lastMs ?? recorded.updatedMs) === recorded.nextMs ? recorded : undefined;
};

const describe = ({ lastMs, nextMs, updatedMs }: TimerStatus) => {
  const iso = (timeMs: number | undefined) => (timeMs === undefined ? NEVER : new Date(timeMs).toISOString());
  return { Last: iso(lastMs), Next: iso(nextMs), LastUpdated: iso(lastMs === undefined ? undefined : updatedMs) };
};

/** The pool has logged the failure, and the next occurrence is the retry. */
const ignoreFailure = async (running: Promise<unknown>): Promise<void> => {
  try {
    await running;
  } catch (error) {
    if (!(error instanceof FunctionFailedError || error instanceof WorkerLostError)) throw error;
  }
};
