import type { FunctionInfo } from "../contract.ts";

/** A function that the extension can call, and the name of the binding for its argument. */
export interface DurableFunction {
  readonly name: string;
  readonly triggerName: string;
}

/** Looks functions up as the extension does: by kind, in any case. */
export interface RegisteredFunctions {
  activity(name: string): DurableFunction | undefined;
  orchestrator(name: string): DurableFunction | undefined;
  readonly activityNames: readonly string[];
  readonly orchestratorNames: readonly string[];
}

export const registeredFunctions = (functions: readonly FunctionInfo[]): RegisteredFunctions => {
  const activities = byTrigger(functions, "activityTrigger");
  const orchestrators = byTrigger(functions, "orchestrationTrigger");
  return {
    activity: (name) => activities.get(name.toLowerCase()),
    orchestrator: (name) => orchestrators.get(name.toLowerCase()),
    activityNames: [...activities.values()].map(({ name }) => name),
    orchestratorNames: [...orchestrators.values()].map(({ name }) => name),
  };
};

export const unknownActivity = ({ activityNames }: RegisteredFunctions, name: string): string =>
  unknown(name, "activity", "an activity", activityNames);

export const unknownOrchestrator = ({ orchestratorNames }: RegisteredFunctions, name: string): string =>
  unknown(name, "orchestrator", "an orchestrator", orchestratorNames);

const byTrigger = (functions: readonly FunctionInfo[], type: string): Map<string, DurableFunction> => {
  const found = new Map<string, DurableFunction>();
  for (const { name, bindings } of functions) {
    const trigger = Object.entries(bindings).find(([, binding]) => binding.type === type);
    if (trigger !== undefined) found.set(name.toLowerCase(), { name, triggerName: trigger[0] });
  }
  return found;
};

const unknown = (name: string, kind: string, article: string, known: readonly string[]): string => {
  const others =
    known.length === 0
      ? `No ${kind} functions are registered.`
      : `The registered ${kind} functions are ${known.map((other) => `'${other}'`).join(", ")}.`;
  return `The function '${name}' doesn't exist, is disabled, or is not ${article} function. ${others}`;
};
