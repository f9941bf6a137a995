/** Why the host cannot start. `message` is the one line to show; there is nothing to add from a stack. */
export class StartError extends Error {
  override readonly name = "StartError";
}
