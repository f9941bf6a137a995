/** Longest id the extension takes. Source: DurableClient.cs, MaxInstanceIdLength. */
const LONGEST_ID = 256;

/** Why an id cannot name an instance; undefined when it can. Rules of the extension's DurableClient.StartNewAsync. */
export const invalidInstanceId = (id: string): string | undefined => {
  if (id.startsWith("@")) return "Orchestration instance ids must not start with @.";
  if (/[/\\?#\p{Cc}]/u.test(id)) {
    return "Orchestration instance ids must not contain /, \\, #, ?, or control characters.";
  }
  return id.length > LONGEST_ID ? `Instance ID lengths must not exceed ${LONGEST_ID} characters.` : undefined;
};
