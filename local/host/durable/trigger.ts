import { startedEvents } from "./history.ts";
import type { Instance } from "./instance.ts";
import type { LargeValues } from "./large-values.ts";
import type { Message } from "./record.ts";

/** Sent by the extension beside the history. Source: OrchestrationTriggerAttributeBindingProvider.cs. */
const SETTINGS = {
  upperSchemaVersion: 1,
  upperSchemaVersionNew: 2,
  longRunningTimerIntervalDuration: "3.00:00:00",
  maximumShortTimerDuration: "6.00:00:00",
  defaultHttpAsyncRequestSleepTimeMillseconds: 30_000,
} as const;

/** The JSON of an `orchestrationTrigger`: the full history, and the messages that this turn adds to it. */
export const triggerJson = async (
  instance: Instance,
  taken: readonly Message[],
  atMs: number,
  values: LargeValues,
): Promise<string> => {
  const { start, history } = instance;
  const [past, fresh, input] = await Promise.all([
    values.readEvents(history),
    values.readEvents(startedEvents(instance, atMs, taken)),
    values.read(start.input),
  ]);
  return JSON.stringify({
    history: [...past.map((event) => ({ ...event, IsPlayed: true })), ...fresh],
    input: JSON.parse(input) as unknown,
    instanceId: start.instanceId,
    isReplaying: history.length > 0,
    parentInstanceId: start.parent?.instanceId ?? null,
    ...SETTINGS,
  });
};
