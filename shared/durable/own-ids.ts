import type { OrchestrationContext } from "durable-functions";
import { type RunId, runId } from "../contracts/ids.ts";

/**
 * A GUID of this instance, for a purpose. `newGuid` of durable-functions 3.5 is a hash of the text that it is given, of
 * the turn's time in milliseconds and of a counter, but not of the instance: with a text that several instances give, two
 * that begin in one millisecond get one id. Seen on the Functions host, with 60 backups at a time.
 */
export const ownGuid = (context: OrchestrationContext, purpose: string): string =>
  context.df.newGuid(`${context.df.instanceId} ${purpose}`);

/** The id of a run of this instance that begins now. A replay makes the same one. */
export const ownRunId = (context: OrchestrationContext, purpose: string): RunId =>
  runId(context.df.currentUtcDateTime, ownGuid(context, purpose));
