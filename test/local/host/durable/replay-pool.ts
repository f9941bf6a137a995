import { createRequire } from "node:module";
import type { OrchestrationHandler } from "durable-functions";
import {
  FunctionFailedError,
  type Invocation,
  type InvocationResult,
  WorkerLostError,
  type WorkerPool,
} from "../../../../local/host/contract.ts";

/** The library's own replay executor, which the worker reaches through `app.orchestration`. */
const { Orchestrator } = createRequire(import.meta.url)("durable-functions/lib/src/orchestrations/Orchestrator.js") as {
  Orchestrator: new (handler: OrchestrationHandler) => { listen(): (trigger: unknown, context: object) => unknown };
};

export interface App {
  readonly orchestrators: Readonly<Record<string, OrchestrationHandler>>;
  // biome-ignore lint/suspicious/noExplicitAny: an activity declares the input it expects, as in durable-functions
  readonly activities?: Readonly<Record<string, (input: any) => unknown>>;
}

export interface ReplayPool extends WorkerPool {
  /** The activities that ran, as `name(input)`. */
  readonly calls: string[];
  /** The most orchestrator turns and activities that ran at the same time. */
  readonly peak: { turns: number; activities: number };
  /** Makes the next invocations, this many, die with their process. */
  loseNext(count: number): void;
}

/** A pool that runs handlers in this process, with every value crossing as JSON. */
export const replayPool = ({ orchestrators, activities = {} }: App, size = 1): ReplayPool => {
  const calls: string[] = [];
  const peak = { turns: 0, activities: 0 };
  const running = { turns: 0, activities: 0 };
  let toLose = 0;

  const counted = async (kind: "turns" | "activities", work: () => unknown): Promise<InvocationResult> => {
    running[kind] += 1;
    peak[kind] = Math.max(peak[kind], running[kind]);
    try {
      const value = await work();
      if (value === undefined) return { outputs: [] };
      return {
        outputs: [],
        returnValue: typeof value === "string" ? { string: value } : { json: JSON.stringify(value) },
      };
    } finally {
      running[kind] -= 1;
    }
  };

  const run = async ({ functionName, inputs }: Invocation): Promise<InvocationResult> => {
    const input: unknown = JSON.parse(inputs[0]?.data.json ?? "null");
    const orchestrator = orchestrators[functionName];
    if (orchestrator !== undefined) return counted("turns", () => new Orchestrator(orchestrator).listen()(input, {}));
    calls.push(`${functionName}(${JSON.stringify(input)})`);
    return counted("activities", () => activities[functionName]?.(input));
  };

  return {
    size,
    calls,
    peak,
    loseNext(count) {
      toLose = count;
    },
    functions: async () => [
      ...Object.keys(orchestrators).map((name) => aFunction(name, "orchestrationTrigger")),
      ...Object.keys(activities).map((name) => aFunction(name, "activityTrigger")),
    ],
    async invoke(invocation) {
      if (toLose > 0) {
        toLose -= 1;
        throw new WorkerLostError("the process died");
      }
      try {
        return await run(invocation);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        throw new FunctionFailedError(invocation.functionName, error.message, error.stack ?? "");
      }
    },
  };
};

const aFunction = (name: string, type: string) => ({
  name,
  bindings: { argument: { type, direction: "in" as const } },
});
