import { z } from "zod";

/** Numbers of `actions/ActionType` of durable-functions 3.5. */
export const ActionType = {
  CallActivity: 0,
  CallActivityWithRetry: 1,
  CallSubOrchestrator: 2,
  CallSubOrchestratorWithRetry: 3,
  ContinueAsNew: 4,
  CreateTimer: 5,
  WaitForExternalEvent: 6,
  CallEntity: 7,
  CallHttp: 8,
  SignalEntity: 9,
  WhenAny: 11,
  WhenAll: 12,
  LockEntities: 13,
  ReleaseEntities: 14,
} as const;

const RetryOptions = z.object({
  firstRetryIntervalInMilliseconds: z.number(),
  maxNumberOfAttempts: z.number(),
  backoffCoefficient: z.number().nullish(),
  maxRetryIntervalInMilliseconds: z.number().nullish(),
  retryTimeoutInMilliseconds: z.number().nullish(),
});

const Input = z.unknown().optional();
const functionName = z.string();
const instanceId = z.string().nullish();

const Leaf = z.discriminatedUnion("actionType", [
  z.object({ actionType: z.literal(ActionType.CallActivity), functionName, input: Input }),
  z.object({
    actionType: z.literal(ActionType.CallActivityWithRetry),
    functionName,
    input: Input,
    retryOptions: RetryOptions,
  }),
  z.object({ actionType: z.literal(ActionType.CallSubOrchestrator), functionName, input: Input, instanceId }),
  z.object({
    actionType: z.literal(ActionType.CallSubOrchestratorWithRetry),
    functionName,
    input: Input,
    instanceId,
    retryOptions: RetryOptions,
  }),
  z.object({ actionType: z.literal(ActionType.ContinueAsNew), input: Input }),
  z.object({
    actionType: z.literal(ActionType.CreateTimer),
    fireAt: z.iso.datetime(),
    isCanceled: z.boolean().optional(),
  }),
  z.object({ actionType: z.literal(ActionType.WaitForExternalEvent), externalEventName: z.string() }),
  z.object({ actionType: z.literal(ActionType.CallEntity) }),
  z.object({ actionType: z.literal(ActionType.CallHttp) }),
  z.object({ actionType: z.literal(ActionType.SignalEntity) }),
  z.object({ actionType: z.literal(ActionType.LockEntities) }),
  z.object({ actionType: z.literal(ActionType.ReleaseEntities) }),
]);
export type LeafAction = z.infer<typeof Leaf>;

export type Action =
  | LeafAction
  | { actionType: typeof ActionType.WhenAny | typeof ActionType.WhenAll; compoundActions: Action[] };

const Action: z.ZodType<Action> = z.lazy(() =>
  z.union([
    Leaf,
    z.object({
      actionType: z.union([z.literal(ActionType.WhenAny), z.literal(ActionType.WhenAll)]),
      compoundActions: z.array(Action),
    }),
  ]),
);

/** The result of the replay executor in schema V3: every action of the execution so far, in the order of the waits. */
export const OrchestratorState = z.object({
  isDone: z.boolean(),
  actions: z.tuple([z.array(Action)]),
  output: z.unknown().optional(),
  error: z.string().optional(),
  customStatus: z.unknown().optional(),
});
export type OrchestratorState = z.infer<typeof OrchestratorState>;

/** Precedes the state in the message of a failed orchestrator (durable-functions 3.5, OrchestrationFailureError). */
const STATE_MARK = "\n\n$OutOfProcData$:";

/** The state in the message of a failed orchestrator; undefined when the executor itself failed. */
export const stateInMessage = (message: string): OrchestratorState | undefined => {
  const mark = message.indexOf(STATE_MARK);
  return mark < 0 ? undefined : OrchestratorState.parse(JSON.parse(message.slice(mark + STATE_MARK.length)));
};

/** The single actions, in the order in which the executor numbers them. */
export const leaves = (actions: readonly Action[]): LeafAction[] =>
  actions.flatMap((action) => ("compoundActions" in action ? leaves(action.compoundActions) : [action]));
