import { z } from "zod";

/** JSON text or, when that is large, the name of its file. */
export const Value = z.union([z.string(), z.strictObject({ large: z.string() })]);
export type Value = z.infer<typeof Value>;

const AtMs = z.number();
const TaskId = z.int().nonnegative();

export const Retry = z.object({
  firstIntervalMs: z.number(),
  maxAttempts: z.number(),
  backoff: z.number(),
  maxIntervalMs: z.number().optional(),
  /** Which attempt the task is, from 1. */
  attempt: z.int().positive(),
});
export type Retry = z.infer<typeof Retry>;

const ActivityCall = z.object({
  kind: z.literal("activity"),
  name: z.string(),
  input: Value,
  retry: Retry.optional(),
});
const SubOrchestration = z.object({
  kind: z.literal("sub-orchestration"),
  name: z.string(),
  input: Value,
  /** The id that the orchestrator chose; without one, it is made from the execution and the task. */
  instanceId: z.string().optional(),
  retry: Retry.optional(),
});
const Timer = z.object({
  kind: z.literal("timer"),
  fireAtMs: AtMs,
  /** The end of a timer that is too long for one step. */
  finalAtMs: AtMs.optional(),
  /** The failed call that waits for its next attempt. */
  retryOf: z.discriminatedUnion("kind", [ActivityCall, SubOrchestration]).optional(),
});

/** Something that an orchestrator waits for, not numbered yet. */
export const Call = z.discriminatedUnion("kind", [ActivityCall, SubOrchestration, Timer]);
export type Call = z.infer<typeof Call>;

/** `id`: under which the replay executor knows it; `root`: the call of the orchestrator that it follows from. */
const Numbers = { id: TaskId, root: TaskId.optional() };

/** A call with its number. */
export const Task = z.discriminatedUnion("kind", [
  ActivityCall.extend(Numbers),
  SubOrchestration.extend(Numbers),
  Timer.extend(Numbers),
]);
export type Task = z.infer<typeof Task>;

/** A message to an instance, which its orchestrator gets in a later turn. */
export const Message = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("completed"), atMs: AtMs, taskId: TaskId, result: Value }),
  z.object({
    kind: z.literal("failed"),
    atMs: AtMs,
    taskId: TaskId,
    reason: z.string(),
    /** That of a terminated child has none. */
    details: z.string().optional(),
  }),
  z.object({ kind: z.literal("timer-fired"), atMs: AtMs, taskId: TaskId }),
  z.object({ kind: z.literal("event"), atMs: AtMs, name: z.string(), input: Value }),
]);
export type Message = z.infer<typeof Message>;
export type TaskMessage = Exclude<Message, { kind: "event" }>;

export const End = z.object({
  status: z.enum(["Completed", "Failed", "Terminated"]),
  output: Value,
  details: z.string(),
});
export type End = z.infer<typeof End>;

/** The task of another instance that waits for this one. */
export const Parent = z.object({ instanceId: z.string(), name: z.string(), executionId: z.string(), taskId: TaskId });
export type Parent = z.infer<typeof Parent>;

export const Start = z.object({
  type: z.literal("start"),
  version: z.literal(1),
  atMs: AtMs,
  createdAtMs: AtMs,
  instanceId: z.string(),
  name: z.string(),
  executionId: z.string(),
  generation: z.int().nonnegative(),
  input: Value,
  parent: Parent.optional(),
  /** Carried over by continueAsNew. */
  customStatus: Value.optional(),
  inbox: z.array(Message),
  suspended: z.boolean(),
});
export type Start = z.infer<typeof Start>;

/**
 * One line of an instance's file, and one transaction: a complete line has happened, a torn one has not.
 * The first line is always a `start`.
 */
export const Line = z.discriminatedUnion("type", [
  Start,
  z.object({ type: z.literal("message"), executionId: z.string().optional(), message: Message }),
  z.object({
    type: z.literal("turn"),
    atMs: AtMs,
    /** The number of messages that the turn took from the front of the inbox. */
    took: z.int().nonnegative(),
    /** Attempts and timers that follow from those messages, numbered before the calls of the orchestrator. */
    followUps: z.array(Task),
    called: z.array(Task),
    /** The number of actions that the orchestrator had returned by then. */
    actions: z.int().nonnegative(),
    customStatus: Value.optional(),
    end: End.optional(),
  }),
  /** The custom status that a suspended instance shows. */
  z.object({ type: z.literal("status"), atMs: AtMs, customStatus: Value }),
  z.object({ type: z.literal("suspend"), atMs: AtMs, suspended: z.boolean(), reason: z.string() }),
  z.object({ type: z.literal("terminate"), atMs: AtMs, output: Value }),
]);
export type Line = z.infer<typeof Line>;
export type Turn = Extract<Line, { type: "turn" }>;
