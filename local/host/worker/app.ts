import type { FunctionCallback, FunctionMetadata, HookCallback, HookName, ProgrammingModel } from "./core-types.ts";
import type { RpcLogLevel } from "./protocol.ts";

export interface RegisteredFunction {
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
}

export interface LogRecord {
  readonly level: RpcLogLevel;
  readonly source: "user" | "system";
  readonly message: string;
  readonly functionName?: string | undefined;
}

/** What the app has registered in this process. */
export interface App {
  readonly functions: Map<string, RegisteredFunction>;
  readonly hooks: Readonly<Record<HookName, HookCallback[]>>;
  /** Shared by every hook of the app. */
  readonly appHookData: object;
  programmingModel: ProgrammingModel | undefined;
  /** Set once the host knows the functions: nothing can be registered from then on. */
  locked: boolean;
  log(record: LogRecord): void;
}

export const createApp = (log: (record: LogRecord) => void): App => ({
  functions: new Map(),
  hooks: { appStart: [], appTerminate: [], preInvocation: [], postInvocation: [], log: [] },
  appHookData: {},
  programmingModel: undefined,
  locked: false,
  log,
});

/** Runs the hooks of one name in the order of their registration; hooks may read and set `fields`. */
export const runHooks = async <T extends object>(app: App, name: HookName, hookData: object, fields: T): Promise<T> => {
  const context = hookContext(app, hookData, fields);
  for (const hook of app.hooks[name]) await hook(context);
  return context;
};

/**
 * A line after the log hooks. They see every line, but what they change counts for the app's own lines alone, and what
 * they throw is swallowed, as in the real worker.
 */
export const hookedLog = (app: App, { level, source, message }: LogRecord, invocationContext?: unknown): LogRecord => {
  const context = hookContext(app, {}, { level, category: source, message, invocationContext });
  for (const hook of app.hooks.log) {
    try {
      hook(context);
    } catch {
      // The real worker logs no more than that the line came.
    }
  }
  return source === "user" ? { level: context.level, source, message: context.message } : { level, source, message };
};

const hookContext = <T extends object>(app: App, hookData: object, fields: T): T => {
  const context = { ...fields };
  for (const [name, value] of Object.entries({ hookData, appHookData: app.appHookData })) {
    Object.defineProperty(context, name, {
      enumerable: true,
      get: () => value,
      set: () => {
        throw coreError(TypeError, `'${name}' is read-only`);
      },
    });
  }
  return context;
};

/** An error with the mark by which the library distinguishes it from the app's own. */
export const coreError = (kind: typeof Error | typeof TypeError | typeof RangeError, message: string): Error =>
  Object.assign(new kind(message), { isAzureFunctionsSystemError: true });

/** A thrown value as an error: JavaScript can throw anything. */
export const toError = (thrown: unknown): Error => {
  if (thrown instanceof Error) return thrown;
  if (thrown === undefined || thrown === null) return new Error("Unknown error");
  return new Error(typeof thrown === "object" ? JSON.stringify(thrown) : String(thrown));
};
