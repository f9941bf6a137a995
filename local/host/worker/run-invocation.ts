import type { Invocation, InvocationResult } from "../contract.ts";
import { type App, coreError, hookedLog, runHooks } from "./app.ts";
import type { CoreInvocationContext, FunctionMetadata } from "./core-types.ts";
import { toInvocationResult } from "./typed-data.ts";

/**
 * Runs one function as the real worker does: arguments, pre-invocation hooks, function, post-invocation hooks,
 * response. Throws the error of the function, unless a hook cleared it.
 */
export const runInvocation = async (app: App, id: string, invocation: Invocation): Promise<InvocationResult> => {
  const registered = app.functions.get(invocation.functionName);
  if (registered === undefined) throw coreError(Error, `The app has no function "${invocation.functionName}".`);
  if (app.programmingModel === undefined) throw coreError(Error, "The app has set no programming model.");

  const core = coreContext(app, id, invocation, registered.metadata);
  const model = await app.programmingModel.getInvocationModel(core);
  const { context, inputs } = await model.getArguments();
  core.invocationContext = context;
  const hookData = {};

  core.state = "preInvocationHooks";
  const before = await runHooks(app, "preInvocation", hookData, {
    invocationContext: context,
    functionCallback: registered.callback,
    inputs,
  });

  const outcome: { result: unknown; error: unknown } = { result: null, error: null };
  core.state = "invocation";
  try {
    outcome.result = await model.invokeFunction(context, before.inputs, before.functionCallback);
  } catch (error) {
    outcome.error = error;
  }

  core.state = "postInvocationHooks";
  const after = await runHooks(app, "postInvocation", hookData, {
    invocationContext: context,
    inputs: before.inputs,
    ...outcome,
  });
  core.state = undefined;

  if (after.error !== null && after.error !== undefined) throw after.error;
  return toInvocationResult(await model.getResponse(context, after.result));
};

const coreContext = (
  app: App,
  id: string,
  invocation: Invocation,
  metadata: FunctionMetadata,
): CoreInvocationContext & { invocationContext: unknown } => ({
  invocationId: id,
  metadata,
  state: undefined,
  invocationContext: undefined,
  request: {
    invocationId: id,
    functionId: invocation.functionName,
    inputData: invocation.inputs,
    triggerMetadata: invocation.triggerMetadata ?? {},
    traceContext: { traceParent: traceParentOf(id), traceState: "", attributes: {} },
  },
  log(level, source, message) {
    const { invocationContext } = this;
    app.log({ ...hookedLog(app, { level, source, message }, invocationContext), functionName: metadata.name });
  },
});

/** A W3C trace parent, made from the invocation's id (a UUID). */
const traceParentOf = (id: string): string => {
  const traceId = id.replaceAll("-", "");
  return `00-${traceId}-${traceId.slice(0, 16)}-00`;
};
