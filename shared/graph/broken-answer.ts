/** An answer that broke off on its way, or is not what it should be. Asking again may cure it. */
export class BrokenAnswerError extends Error {
  override readonly name = "BrokenAnswerError";
}
