import * as z from "zod";

const InnerError = z.looseObject({ "request-id": z.string() }).optional().catch(undefined);

/** Both shapes in which Exchange reports errors; `innerError` and `innererror` are both met. */
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

/** What Graph answered when it was not a success, or that it did not answer at all (`status` 0). */
export class GraphError extends Error {
  override readonly name = "GraphError";
  readonly operation: string;
  readonly status: number;
  /** Graph's error code as sent; compare with {@link hasCode}. Empty when the body had none. */
  readonly code: string;
  readonly requestId: string | undefined;
  /** How long Graph asked to wait, where it did. */
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

/** Whether an error is Graph's with one of these codes; their casing varies between services. */
export const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof GraphError && codes.some((code) => code.toLowerCase() === error.code.toLowerCase());

export const isNotFound = (error: unknown): boolean => error instanceof GraphError && error.status === 404;

/** The code and request id in an error body; a body that is empty or no JSON has neither. */
export const readErrorBody = (text: string): { code: string; requestId: string | undefined } => {
  const parsed = ErrorBody.safeParse(parseJson(text));
  if (!parsed.success) return { code: "", requestId: undefined };
  if (!("error" in parsed.data)) return { code: importErrorCode(String(parsed.data["Message"])), requestId: undefined };
  const { error } = parsed.data as Extract<z.output<typeof ErrorBody>, { error: unknown }>;
  return { code: error.code, requestId: (error.innerError ?? error.innererror)?.["request-id"] };
};

/** The import service names no code for the one error that its documentation shows. */
const importErrorCode = (message: string): string =>
  message.startsWith("Invalid import session.") ? "InvalidImportSession" : "";

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
