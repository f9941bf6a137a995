/** The time for a piece of work was over before its next request could be sent. Nothing was sent. */
export class OutOfTimeError extends Error {
  override readonly name = "OutOfTimeError";
}

/** The mailbox's slots are another's by now, so the next request was not sent. */
export class SlotsLostError extends Error {
  override readonly name = "SlotsLostError";
}

/** The work was told to send nothing new. Nothing was sent. */
export class WorkStoppedError extends Error {
  override readonly name = "WorkStoppedError";
}
