import type { OrchestrationContext } from "durable-functions";
import { type RunId, runId } from "../contracts/ids.ts";

/**
 * A GUID of this instance, for a purpose. In durable-functions 3.5, `newGuid` hashes its text, the turn's time in
 * milliseconds and a counter, but not the instance. So two instances that begin in the same millisecond would get the
 * same id for the same text. Seen on the Functions host, with 60 backups at a time.
 */
export const ownGuid = (context: OrchestrationContext, purpose: string): string =>
  context.df.newGuid(`${context.df.instanceId} ${purpose}`);

/** The id of a run of this instance that begins now. A replay makes the same one. */
export const ownRunId = (context: OrchestrationContext, purpose: string): RunId =>
  runId(context.df.currentUtcDateTime, ownGuid(context, purpose));
