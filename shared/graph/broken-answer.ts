import { BrokenJsonError } from "../json/json-reader.ts";

/** An answer that broke off, or that is not of the documented form. Asking again may help. */
export class BrokenAnswerError extends Error {
  override readonly name = "BrokenAnswerError";
}

/** Whether an error means that an answer broke off, or is not JSON or not of the documented form. */
export const isBrokenAnswer = (error: unknown): boolean =>
  error instanceof BrokenAnswerError || error instanceof BrokenJsonError;
