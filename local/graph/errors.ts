export type ErrorShape = "graph" | "message" | "none";

interface Details {
  readonly headers?: Readonly<Record<string, string>>;
  readonly shape?: ErrorShape;
}

/** A request that ends in an error answer; `shape` says what its body looks like. */
export class GraphFailure extends Error {
  override readonly name = "GraphFailure";
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly shape: ErrorShape;

  constructor(status: number, code: string, message: string, details: Details = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = details.headers ?? {};
    this.shape = details.shape ?? "graph";
  }
}

/** A connection that the emulator cuts on purpose. */
export class ConnectionReset extends Error {
  override readonly name = "ConnectionReset";
}

export const badRequest = (message: string, code = "ErrorInvalidRequest"): GraphFailure =>
  new GraphFailure(400, code, message);

/** @observed Code and message of the mail API; @guess that a missing folder has the same. */
export const notFound = (code = "ErrorItemNotFound"): GraphFailure =>
  new GraphFailure(404, code, "The specified object was not found in the store.");

/** @doc The body of a Graph error; @observed that its date has no `Z`. */
export const errorBody = (failure: GraphFailure, requestId: string, clientRequestId: string, now: number): unknown => {
  if (failure.shape === "message") return { Message: failure.message };
  return {
    error: {
      code: failure.code,
      message: failure.message,
      innerError: {
        date: new Date(now).toISOString().slice(0, 19),
        "request-id": requestId,
        "client-request-id": clientRequestId,
      },
    },
  };
};
