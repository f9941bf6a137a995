import * as z from "zod";

const InnerError = z.looseObject({ "request-id": z.string() }).optional().catch(undefined);

/** Both shapes of Exchange's errors; `innerError` and `innererror` have both been seen. */
const ErrorBody = z.union([
  z.looseObject({
    error: z.looseObject({
      code: z.string(),
      innerError: InnerError,
      innererror: InnerError,
    }),
  }),
  z.looseObject({ Message: z.string() }),
]);

/** An answer of Graph that is no success, or that lacks what was asked for, or no answer at all (`status` 0). */
export class GraphError extends Error {
  override readonly name = "GraphError";
  readonly operation: string;
  readonly status: number;
  /** Graph's error code as sent; compare it with {@link hasCode}. Empty when the body has none. */
  readonly code: string;
  readonly requestId: string | undefined;
  /** How long Graph asked to wait, if it did. */
  readonly retryAfterMs: number | undefined;

  constructor(
    operation: string,
    facts: { status: number; code?: string; requestId?: string | undefined; retryAfterMs?: number | undefined },
    options?: ErrorOptions,
  ) {
    const answer = facts.status === 0 ? "did not answer" : `answered ${facts.status}`;
    const code = facts.code ? ` ${facts.code}` : "";
    const request = facts.requestId ? ` (request-id ${facts.requestId})` : "";
    super(`Graph ${answer}${code} to ${operation}${request}`, options);
    this.operation = operation;
    this.status = facts.status;
    this.code = facts.code ?? "";
    this.requestId = facts.requestId;
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/** Whether an error is a {@link GraphError} with one of these codes, whose case varies between services. */
export const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof GraphError && codes.some((code) => code.toLowerCase() === error.code.toLowerCase());

export const isNotFound = (error: unknown): boolean => error instanceof GraphError && error.status === 404;

/** Whether the app may not do what it asked for. Of a mailbox over its quota, 403 says something else. */
export const isForbidden = (error: unknown): boolean =>
  error instanceof GraphError && error.status === 403 && !hasCode(error, "ErrorQuotaExceeded");

/**
 * Whether Exchange says by a code that a mailbox or folder takes nothing more: ErrorQuotaExceeded, and for the number
 * of items in a folder ErrorMessagePerFolderCountReceiveQuotaExceeded. Another such code is about sending.
 * Source: learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode.
 */
export const isFullCode = (code: string): boolean => /QuotaExceeded$/i.test(code) && !/^ErrorSubmission/i.test(code);

/** Whether an answer says, by its code or with 507, that a mailbox or folder is full. */
export const isFull = (error: unknown): error is GraphError =>
  error instanceof GraphError && (error.status === 507 || isFullCode(error.code));

/** The code and request id of an error body; an empty body, or one that is not JSON, has neither. */
export const readErrorBody = (text: string): { code: string; requestId: string | undefined } => {
  const parsed = ErrorBody.safeParse(parseJson(text));
  if (!parsed.success) return { code: "", requestId: undefined };
  if (!("error" in parsed.data)) return { code: importErrorCode(String(parsed.data["Message"])), requestId: undefined };
  const { error } = parsed.data as Extract<z.output<typeof ErrorBody>, { error: unknown }>;
  return { code: error.code, requestId: (error.innerError ?? error.innererror)?.["request-id"] };
};

/** The import service sends no code with the one error that its documentation shows. */
const importErrorCode = (message: string): string =>
  message.startsWith("Invalid import session.") ? "InvalidImportSession" : "";

/** `undefined` for a text that is not JSON. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
