import { clientInputs } from "../client-inputs.ts";
import type { BindingInfo, DurableExtension, FunctionInfo, InvocationResult, TypedData } from "../contract.ts";
import { resolveSettings, type Settings } from "../settings.ts";
import { StartError } from "../start-error.ts";
import type { AppPool, Dispatch } from "../worker/pool.ts";

/** A function of the app as its trigger sees it: with settings resolved, and inputs filled when it runs. */
export interface AppFunction {
  readonly name: string;
  /** Lower case, such as `httptrigger`. */
  readonly triggerType: string;
  readonly trigger: BindingInfo;
  readonly bindings: Readonly<Record<string, BindingInfo>>;
  /** Runs it with the trigger's data; see {@link AppPool.invoke}. */
  run(
    data: TypedData,
    metadata?: Readonly<Record<string, TypedData>>,
    dispatched?: (dispatch: Dispatch) => void,
  ): Promise<InvocationResult>;
}

export interface AppFunctionDeps {
  readonly pool: AppPool;
  readonly settings: Settings;
  readonly durable: DurableExtension | undefined;
}

/** Makes a registered function runnable. @throws {StartError} when a `%SETTING%` of its bindings does not resolve. */
export const appFunction = (
  { name, bindings }: FunctionInfo,
  { pool, settings, durable }: AppFunctionDeps,
): AppFunction => {
  const resolved = Object.fromEntries(
    Object.entries(bindings).map(([key, binding]) => [key, resolveBinding(binding, settings, name)]),
  );
  const [triggerName, trigger] = Object.entries(resolved).find(([, { type }]) => /trigger$/i.test(type)) ?? [];
  if (triggerName === undefined || trigger === undefined) throw new StartError(`${name} has no trigger`);

  return {
    name,
    trigger,
    triggerType: trigger.type.toLowerCase(),
    bindings: resolved,
    run: (data, metadata, dispatched) =>
      pool.invoke(
        {
          functionName: name,
          inputs: [
            { name: triggerName, data },
            ...clientInputs(resolved, (binding) => durable?.clientBinding(binding) ?? ""),
          ],
          ...(metadata === undefined ? {} : { triggerMetadata: metadata }),
        },
        dispatched,
      ),
  };
};

/** The task hub serves the durable triggers. */
const SERVED =
  /^(?:(?:http|timer|eventGrid|orchestration|activity|entity)Trigger|http|durableClient|orchestrationClient)$/i;

/** The types of the bindings that this host does not serve. */
export const unservedTypes = ({ bindings }: AppFunction): string[] =>
  Object.values(bindings).flatMap(({ type }) => (SERVED.test(type) ? [] : [type]));

const resolveBinding = (binding: BindingInfo, settings: Settings, functionName: string): BindingInfo => {
  const options = Object.entries(binding).map(([option, value]) => [
    option,
    typeof value === "string" ? resolveSettings(value, settings, `${functionName}, ${option}`) : value,
  ]);
  return { ...binding, ...Object.fromEntries(options) };
};
