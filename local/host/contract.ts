/** A binding in the registration of a function, as `@azure/functions` passes it to the worker. */
export interface BindingInfo {
  readonly type: string;
  readonly direction: "in" | "out" | "inout";
  readonly [option: string]: unknown;
}

export interface FunctionInfo {
  readonly name: string;
  readonly bindings: Readonly<Record<string, BindingInfo>>;
}

/** A value between host and worker, in the shape of the worker's RPC. Exactly one field is set. */
export interface TypedData {
  readonly string?: string;
  readonly json?: string;
  readonly bytes?: Uint8Array;
  readonly http?: HttpData;
}

export interface HttpData {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly statusCode?: string;
  readonly body?: TypedData;
  readonly enableContentNegotiation?: boolean;
  readonly cookies?: readonly HttpCookie[];
}

/** A cookie that a response sets. */
export interface HttpCookie {
  readonly name: string;
  readonly value: string;
  readonly domain?: string;
  readonly path?: string;
  readonly expiresSeconds?: number;
  readonly maxAgeSeconds?: number;
  readonly secure?: boolean;
  readonly httpOnly?: boolean;
  readonly sameSite?: "lax" | "strict" | "explicitNone";
}

export interface NamedData {
  readonly name: string;
  readonly data: TypedData;
}

export interface Invocation {
  readonly functionName: string;
  readonly inputs: readonly NamedData[];
  readonly triggerMetadata?: Readonly<Record<string, TypedData>>;
}

export interface InvocationResult {
  readonly returnValue?: TypedData;
  readonly outputs: readonly NamedData[];
}

/** The function ran and threw. `message` is that of its error. */
export class FunctionFailedError extends Error {
  override readonly name = "FunctionFailedError";
  readonly functionName: string;
  readonly remoteStack: string;

  constructor(functionName: string, message: string, remoteStack: string) {
    super(message);
    this.functionName = functionName;
    this.remoteStack = remoteStack;
  }
}

/** The function ran longer than `functionTimeout`; its process was killed. */
export class FunctionTimeoutError extends FunctionFailedError {}

/** The app's process died before it answered: the invocation may or may not have taken effect. */
export class WorkerLostError extends Error {
  override readonly name = "WorkerLostError";
}

/** The processes that run the app. Invocations wait while a process (re)starts. */
export interface WorkerPool {
  /** The functions that the app registered; waits until the first process has loaded it. */
  functions(): Promise<readonly FunctionInfo[]>;
  /** The number of app processes: per-instance limits of host.json are multiplied by it. */
  readonly size: number;
  /**
   * Runs a function in the least busy process.
   * @throws {FunctionFailedError} when the function threw; {@link WorkerLostError} when its process died.
   */
  invoke(invocation: Invocation): Promise<InvocationResult>;
}

/** The host's time, which may run faster than the system's. All times are milliseconds since the epoch. */
export interface Clock {
  now(): number;
  /** Runs `action` once at that time, or at once when it has passed; returns a function that cancels it. */
  at(timeMs: number, action: () => void): () => void;
}

/**
 * What a host runs of the app. In Azure, functions scale in groups, each in hosts of its own: `clients` are HTTP,
 * timers and events, `durable` are orchestrations and activities.
 */
export const GROUPS = ["all", "clients", "durable"] as const;
export type Group = (typeof GROUPS)[number];

/** The durable extension's part of the host. */
export interface DurableExtension {
  /** Resumes the unfinished work of an earlier host, then runs until stopped. */
  start(): Promise<void>;
  /** Starts nothing new, and waits for pending writes. The next start delivers the activities under way again. */
  stop(): Promise<void>;
  /** The JSON string that fills a `durableClient` input binding. */
  clientBinding(binding: BindingInfo): string;
  /** Answers requests below `/runtime/webhooks/durabletask`. */
  handle(request: Request): Promise<Response>;
}
