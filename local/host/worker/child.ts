import type { FunctionInfo } from "../contract.ts";
import { type App, createApp, runHooks, toError } from "./app.ts";
import { supplyCoreModule } from "./core-module.ts";
import type { Capabilities } from "./core-types.ts";
import { loadApp } from "./load-app.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";
import { runInvocation } from "./run-invocation.ts";

/** Source: getWorkerCapabilities.ts of https://github.com/Azure/azure-functions-nodejs-worker (read 2026-11). */
const CAPABILITIES: Capabilities = {
  RawHttpBodyBytes: "true",
  RpcHttpTriggerMetadataRemoved: "true",
  RpcHttpBodyOnly: "true",
  IgnoreEmptyValuedRpcHttpHeaders: "true",
  UseNullableValueDictionaryForHttp: "true",
  WorkerStatus: "true",
  TypedDataCollection: "true",
  HandlesWorkerTerminateMessage: "true",
};

const app = createApp((record) => send({ kind: "log", ...record }));
const lifetimeHookData = {};

supplyCoreModule(app);
process.on("message", (message: ToWorker) => void receive(message));
// Ctrl-C reaches every process in a terminal, but the host decides when this one ends.
process.on("SIGINT", () => {});
// Without a host there is no work.
process.on("disconnect", () => process.exit(1));

const receive = async (message: ToWorker): Promise<void> => {
  if (message.kind === "invoke") {
    send(await outcomeOf(message.id, runInvocation(app, message.id, message.invocation)));
  } else if (message.kind === "start") {
    await start(message.appDir);
  } else {
    await runHooks(app, "appTerminate", lifetimeHookData, {});
    process.exit(0);
  }
};

const start = async (appDir: string): Promise<void> => {
  try {
    await loadApp(appDir);
    await runHooks(app, "appStart", lifetimeHookData, { functionAppDirectory: appDir });
    const capabilities = await capabilitiesOf(app);
    app.locked = true;
    send({ kind: "started", functions: functionsOf(app), httpUri: capabilities["HttpUri"] });
  } catch (thrown) {
    const error = toError(thrown);
    console.error(error);
    send({ kind: "refused", message: error.message });
  }
};

const capabilitiesOf = async ({ programmingModel }: App): Promise<Capabilities> =>
  (await programmingModel?.getCapabilities?.({ ...CAPABILITIES })) ?? CAPABILITIES;

const functionsOf = ({ functions }: App): FunctionInfo[] => {
  return Array.from(functions.values(), ({ metadata: { name, bindings } }) => ({
    name,
    // Bindings cross to the real host as JSON, so values that JSON does not have are dropped here too.
    bindings: JSON.parse(JSON.stringify(bindings)),
  }));
};

const outcomeOf = async (id: string, running: ReturnType<typeof runInvocation>): Promise<FromWorker> => {
  try {
    return { kind: "done", id, result: await running };
  } catch (thrown) {
    const error = toError(thrown);
    return { kind: "threw", id, message: error.message, stack: error.stack ?? "" };
  }
};

const send = (message: FromWorker): void => {
  process.send?.(message);
};
