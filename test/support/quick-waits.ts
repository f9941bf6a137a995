import { onTestFinished, vi } from "vitest";

/** Virtual milliseconds that pass at a time, and real ones between. */
const STEP_MS = 100;
const EVERY_MS = 5;

/**
 * Lets what waits in this process wait twenty times as fast until the test ends. No time passes while `busy` says that
 * something real is under way, so that no limit of a request runs out because the machine is slow.
 */
export const quickWaits = (busy: () => Promise<boolean>): void => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  let ended = false;
  const step = async (): Promise<void> => {
    if (!(await busy()) && !ended) vi.advanceTimersByTime(STEP_MS);
  };
  const pump = setInterval(() => void step(), EVERY_MS);
  onTestFinished(() => {
    ended = true;
    clearInterval(pump);
    vi.useRealTimers();
  });
};
