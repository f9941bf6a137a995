/** Why the host cannot start. `message` is the one line to show; a stack would add nothing. */
export class StartError extends Error {
  override readonly name = "StartError";
}
