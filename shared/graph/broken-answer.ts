import { BrokenJsonError } from "../json/json-reader.ts";

/** An answer that broke off on its way, or is not what it should be. Asking again may cure it. */
export class BrokenAnswerError extends Error {
  override readonly name = "BrokenAnswerError";
}

/** Whether an answer broke off or is not what it should be, as JSON or in what it says. */
export const isBrokenAnswer = (error: unknown): boolean =>
  error instanceof BrokenAnswerError || error instanceof BrokenJsonError;
