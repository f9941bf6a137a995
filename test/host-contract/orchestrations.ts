import { type OrchestrationHandler, RetryOptions } from "durable-functions";

const inMs = (now: Date, ms: number): Date => new Date(now.getTime() + ms);

const retry = (firstMs: number, attempts: number): RetryOptions => new RetryOptions(firstMs, attempts);

/** The orchestrations of the contract that need nothing but their context. */
export const orchestrations: Readonly<Record<string, OrchestrationHandler>> = {
  *chain(context) {
    const first: string = yield context.df.callActivity("echo", "a");
    return first + (yield context.df.callActivity("echo", "b"));
  },
  *fan(context) {
    return yield context.df.Task.all([1, 2, 3, 4, 5].map((n) => context.df.callActivity("echo", n)));
  },
  /** One branch fails at once, the other takes its time. */
  *halfFails(context) {
    const slow = context.df.callActivity("slow", { ms: context.df.getInput(), value: "late" });
    try {
      yield context.df.Task.all([context.df.callActivity("fail", "broken"), slow]);
    } catch {
      const caught = context.df.currentUtcDateTime.getTime();
      yield context.df.callActivity("echo", "after");
      return context.df.currentUtcDateTime.getTime() - caught;
    }
    return "nothing failed";
  },
  *tries(context) {
    const input = { id: context.df.instanceId, how: context.df.getInput() };
    return yield context.df.callActivityWithRetry("second", retry(1000, 2), input);
  },
  /** Its pause is long, and there is none after the last attempt. */
  *exhausts(context) {
    const began = context.df.currentUtcDateTime.getTime();
    try {
      yield context.df.callActivityWithRetry("fail", retry(60_000, 1), "broken");
    } catch {
      return context.df.currentUtcDateTime.getTime() - began;
    }
    return "nothing failed";
  },
  *sleeps(context) {
    const { currentUtcDateTime } = context.df;
    yield context.df.createTimer(inMs(currentUtcDateTime, context.df.getInput()));
    return context.df.currentUtcDateTime.getTime() - currentUtcDateTime.getTime();
  },
  *waits(context) {
    context.df.setCustomStatus("waiting");
    const said: unknown = yield context.df.waitForExternalEvent("go");
    context.df.setCustomStatus("gone on");
    return yield context.df.callActivity("echo", said);
  },
  /** Its timer loses the race, and is not cancelled. */
  *leavesTimer(context) {
    const timer = context.df.createTimer(inMs(context.df.currentUtcDateTime, context.df.getInput()));
    yield context.df.Task.any([timer, context.df.callActivity("echo", 1)]);
    context.df.setCustomStatus("returned");
    return "done";
  },
  *parent(context) {
    const { name, input, id }: { name: string; input: unknown; id: string } = context.df.getInput();
    try {
      return yield context.df.callSubOrchestrator(name, input, id);
    } catch {
      return "caught";
    }
  },
  *generations(context) {
    const { left, seen }: { left: number; seen: unknown[] } = context.df.getInput();
    const event: unknown = yield context.df.waitForExternalEvent("next");
    if (left > 0) context.df.continueAsNew({ left: left - 1, seen: [...seen, event] });
    return [...seen, event];
  },
  *echoes(context) {
    return yield context.df.callActivity("echo", context.df.getInput());
  },
  // biome-ignore lint/correctness/useYield: it ends before it waits for anything
  *shows(context) {
    context.df.setCustomStatus("x".repeat(context.df.getInput()));
    return "shown";
  },
  // biome-ignore lint/correctness/useYield: it ends before it waits for anything
  *throws() {
    throw new Error("no such thing");
  },
};
