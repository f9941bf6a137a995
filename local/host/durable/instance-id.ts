/** Longest id that the extension accepts. Source: DurableClient.cs, MaxInstanceIdLength. */
const MAX_ID_CHARS = 256;

/** Why an id is invalid; undefined when it is valid. Rules of the extension's DurableClient.StartNewAsync. */
export const invalidInstanceId = (id: string): string | undefined => {
  if (id.startsWith("@")) return "Orchestration instance ids must not start with @.";
  if (/[/\\?#\p{Cc}]/u.test(id)) {
    return "Orchestration instance ids must not contain /, \\, #, ?, or control characters.";
  }
  return id.length > MAX_ID_CHARS ? `Instance ID lengths must not exceed ${MAX_ID_CHARS} characters.` : undefined;
};
