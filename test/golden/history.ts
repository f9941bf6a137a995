import { isDeepStrictEqual } from "node:util";
import type { OrchestrationHandler, Task } from "durable-functions";
import { ActionType } from "../../local/host/durable/orchestrator-state.ts";
import { OrchestratorFailedError, runOrchestrator } from "../support/run-orchestrator.ts";
import { type Names, type Write, writer } from "./readable.ts";

/** One generation of an orchestrator, and how what it calls answers. */
export type Scenario = Pick<Parameters<typeof runOrchestrator>[1], "input" | "activities" | "orchestrators" | "events">;

/** A stub that answers with one value after the other, and with the last one from then on. */
export const inTurn = <T>(...answers: readonly T[]): (() => T) => {
  let left = [...answers];
  begin.push(() => {
    left = [...answers];
  });
  return () => (left.length > 1 ? left.shift() : left[0]) as T;
};

const begin: (() => void)[] = [];

/** Has every such stub begin with its first answer again. */
export const beginAgain = (): void => {
  for (const each of begin) each();
};

/** A stub that fails, however often it is tried. */
export const failing = (reason: string) => (): never => {
  throw new Error(reason);
};

/**
 * All that one generation does, in order: its status as it is seen from outside, and what it schedules and then waits
 * for. Ids follow from the name of the instance, and the clock begins at a fixed time and is moved by timers alone.
 */
export const historyOf = async (
  orchestrator: OrchestrationHandler,
  scenario: Scenario,
  names: Names,
): Promise<string> => {
  // Other tests of this process may have asked the same stubs.
  beginAgain();
  const write = writer(names);
  const { recorded, steps } = recording(orchestrator);
  const end = await runOrchestrator(recorded, scenario).then(
    ({ output, continuedAs }) =>
      continuedAs === undefined ? { word: "returns", value: output } : { word: "continues as", value: continuedAs },
    (error: unknown) => {
      if (error instanceof OrchestratorFailedError) return { word: "fails", value: reasonOf(error) };
      throw error;
    },
  );
  const begin = write("begins with", scenario.input);
  return [begin, ...steps().flatMap((step) => linesOf(step, write)), write(end.word, end.value)].join("\n");
};

/** What the orchestrator said: what stands before it, and the stack behind it, are of the library. */
const reasonOf = ({ message }: Error): string =>
  message
    .split("\n")[0]
    ?.replace(/^Orchestrator function '[^']*' failed: /, "")
    .trim() ?? "";

/** What a task of the library asks the host for (durable-functions 3.5, `actions/`). */
interface Action {
  readonly actionType: number;
  readonly functionName?: string;
  readonly instanceId?: string;
  readonly input?: unknown;
  readonly retryOptions?: RetryOptions;
  readonly fireAt?: Date;
  readonly isCanceled?: boolean;
  readonly externalEventName?: string;
  readonly compoundActions?: readonly Action[];
}

interface RetryOptions {
  readonly firstRetryIntervalInMilliseconds: number;
  readonly maxNumberOfAttempts: number;
  readonly backoffCoefficient?: number;
}

type Step =
  | { readonly kind: "status"; readonly status: unknown }
  | { readonly kind: "action"; readonly action: Action; readonly atMs: number };

/** An orchestrator that does the same, and the steps of its last replay, which begins at the top as each does. */
const recording = (
  orchestrator: OrchestrationHandler,
): { readonly recorded: OrchestrationHandler; readonly steps: () => readonly Step[] } => {
  let steps: Step[] = [];
  const recorded: OrchestrationHandler = function* (context) {
    const { df } = context;
    let status: unknown;
    let shown: unknown;
    steps = [];
    const setCustomStatus = df.setCustomStatus.bind(df);
    df.setCustomStatus = (value) => {
      status = structuredClone(value);
      setCustomStatus(value);
    };
    /** Only the last status of a turn leaves it. */
    const noteStatus = (): void => {
      if (!isDeepStrictEqual(status, shown)) steps.push({ kind: "status", status });
      shown = status;
    };
    const noteTask = (task: Task): void => {
      noteStatus();
      steps.push({ kind: "action", action: Reflect.get(task, "actionObj"), atMs: df.currentUtcDateTime.getTime() });
    };

    const generator = orchestrator(context);
    let next = () => generator.next();
    for (;;) {
      const { done, value } = next();
      if (done) {
        noteStatus();
        return value;
      }
      noteTask(value);
      try {
        const result: unknown = yield value;
        next = () => generator.next(result as Task);
      } catch (error) {
        next = () => generator.throw(error);
      }
    }
  };
  return { recorded, steps: () => steps };
};

const linesOf = (step: Step, write: Write): string[] =>
  step.kind === "status" ? [write("status", step.status)] : actionLines(step.action, step.atMs, write);

const actionLines = (action: Action, atMs: number, write: Write): string[] => {
  switch (action.actionType) {
    case ActionType.CallActivityWithRetry:
      return [write(`activity ${action.functionName}${retryText(action.retryOptions)}`, action.input)];
    case ActionType.CallSubOrchestrator:
      return [
        write(
          `orchestration ${action.functionName}`,
          action.input,
          `as ${action.instanceId ?? "whatever it is given"}`,
        ),
      ];
    case ActionType.CreateTimer: {
      const seconds = ((action.fireAt?.getTime() ?? Number.NaN) - atMs) / 1000;
      return [`timer of ${seconds} s${action.isCanceled ? ", cancelled" : ""}`];
    }
    case ActionType.WaitForExternalEvent:
      return [`event ${action.externalEventName}`];
    case ActionType.WhenAll:
      return ["all of", ...compoundLines(action, atMs, write)];
    case ActionType.WhenAny:
      return ["any of", ...compoundLines(action, atMs, write)];
    default:
      throw new Error(`A golden history has no words yet for an action of type ${action.actionType}`);
  }
};

const compoundLines = ({ compoundActions = [] }: Action, atMs: number, write: Write): string[] =>
  compoundActions.flatMap((action) => actionLines(action, atMs, write)).map((text) => text.replaceAll(/^/gm, "  "));

const retryText = (options: RetryOptions | undefined): string => {
  if (options === undefined) return "";
  const { maxNumberOfAttempts, firstRetryIntervalInMilliseconds, backoffCoefficient = 1 } = options;
  return `, ${maxNumberOfAttempts} tries, ${firstRetryIntervalInMilliseconds / 1000} s x${backoffCoefficient}`;
};
