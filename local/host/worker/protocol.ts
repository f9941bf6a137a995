import type { FunctionInfo, Invocation, InvocationResult } from "../contract.ts";
import type { LogLevel } from "../log.ts";

export type RpcLogLevel = LogLevel;

/** A message from the host to an app process. */
export type ToWorker =
  | { readonly kind: "start"; readonly appDir: string }
  | { readonly kind: "invoke"; readonly id: string; readonly invocation: Invocation }
  | { readonly kind: "stop" };

/** A message from an app process to the host. */
export type FromWorker =
  | { readonly kind: "started"; readonly functions: readonly FunctionInfo[]; readonly httpUri?: string | undefined }
  | { readonly kind: "refused"; readonly message: string }
  | {
      readonly kind: "log";
      readonly level: RpcLogLevel;
      readonly source: "user" | "system";
      readonly message: string;
      readonly functionName?: string | undefined;
    }
  | { readonly kind: "done"; readonly id: string; readonly result: InvocationResult }
  | { readonly kind: "threw"; readonly id: string; readonly message: string; readonly stack: string };
