/** The time for a piece of work was over before its next request could be sent. Nothing was sent. */
export class OutOfTimeError extends Error {
  override readonly name = "OutOfTimeError";
}
