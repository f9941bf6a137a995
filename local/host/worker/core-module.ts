import Module from "node:module";
import { type App, coreError, hookedLog } from "./app.ts";
import type { FunctionCallback, FunctionMetadata, HookCallback, HookName, ProgrammingModel } from "./core-types.ts";
import type { RpcLogLevel } from "./protocol.ts";

const CORE_MODULE = "@azure/functions-core";

/** Libraries read it as the worker's version. The real worker with this interface is 3.x. */
const WORKER_VERSION = "3.0.0-local";
const HOST_VERSION = "4.0.0-local";

/** Makes `require("@azure/functions-core")` return this worker's interface, in any module of this process. */
export const supplyCoreModule = (app: App): void => {
  const core = coreModule(app);
  Module.prototype.require = new Proxy(Module.prototype.require, {
    apply: (require, module, args) => (args[0] === CORE_MODULE ? core : Reflect.apply(require, module, args)),
  });
};

const coreModule = (app: App): object => ({
  version: WORKER_VERSION,
  hostVersion: HOST_VERSION,
  Disposable,
  getProgrammingModel: () => app.programmingModel,
  setProgrammingModel: (model: ProgrammingModel) => {
    app.programmingModel = model;
  },
  log: (level: RpcLogLevel, source: "user" | "system", message: string) =>
    app.log(hookedLog(app, { level, source, message })),
  registerHook: (name: string, callback: HookCallback) => registerHook(app, name, callback),
  registerFunction: (metadata: FunctionMetadata, callback: FunctionCallback) =>
    registerFunction(app, metadata, callback),
});

const registerFunction = (app: App, metadata: FunctionMetadata, callback: FunctionCallback): Disposable => {
  if (app.locked) throw coreError(Error, "Functions can only be registered while the app starts.");
  const id = metadata.functionId ?? metadata.name;
  if (app.functions.has(id)) throw coreError(Error, `There is a function with the id "${id}" already.`);
  app.functions.set(id, { metadata: { ...metadata, functionId: id }, callback });
  return new Disposable(() => {
    if (app.locked) throw coreError(Error, "Functions can only be disposed of while the app starts.");
    app.functions.delete(id);
  });
};

const registerHook = (app: App, name: string, callback: HookCallback): Disposable => {
  if (!isHookName(app, name)) throw coreError(RangeError, `There is no hook "${name}".`);
  const hooks = app.hooks[name];
  hooks.push(callback);
  return new Disposable(() => {
    const index = hooks.indexOf(callback);
    if (index >= 0) hooks.splice(index, 1);
  });
};

const isHookName = (app: App, name: string): name is HookName => Object.hasOwn(app.hooks, name);

class Disposable {
  #dispose: (() => unknown) | undefined;

  constructor(dispose: () => unknown) {
    this.#dispose = dispose;
  }

  static from(...disposables: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const disposable of disposables) disposable.dispose();
    });
  }

  dispose(): unknown {
    const dispose = this.#dispose;
    this.#dispose = undefined;
    return dispose?.();
  }
}
