/** Loads a bundle in a fresh process, as the worker does, and prints the milliseconds that took. */
import Module from "node:module";
import { pathToFileURL } from "node:url";

class Disposable {
  dispose() {}
}

/** The worker's interface for the app; nothing that is registered here is ever called. */
const core = {
  version: "3.0.0",
  hostVersion: "4.0.0",
  Disposable,
  getProgrammingModel: () => undefined,
  setProgrammingModel: () => {},
  log: () => {},
  registerHook: () => new Disposable(),
  registerFunction: () => new Disposable(),
};

Module.prototype.require = new Proxy(Module.prototype.require, {
  apply: (require, module, args) => (args[0] === "@azure/functions-core" ? core : Reflect.apply(require, module, args)),
});

const started = performance.now();
await import(pathToFileURL(process.argv[2]).href);
console.log(performance.now() - started);
process.exit();
