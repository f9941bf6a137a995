import * as z from "zod";
import type { GraphClient } from "./graph-client.ts";
import { GraphError, hasCode } from "./graph-error.ts";
import { retryAfterMs } from "./retry-after.ts";

/** Graph's answer to a request for a person's data. */
export type ExportAnswer =
  | { readonly outcome: "accepted"; readonly operationId: string; readonly retryAfterMs?: number }
  /** The container was used before, so an earlier request has arrived. */
  | { readonly outcome: "used" }
  | { readonly outcome: "limited"; readonly retryAfterMs?: number }
  | { readonly outcome: "refused"; readonly status: number; readonly code: string };

/** Source: Microsoft's service behind the call, and github.com/microsoft/msgraph-sdk-raptor, issue 488. */
const ALREADY_USED = "StorageLocationAlreadyUsed";

/** Statuses that another try does not change. */
const FINAL: readonly number[] = [400, 403, 404];

/**
 * Has Microsoft export a person's data into a container. The client must not repeat the request by itself: a lost
 * answer may have been a success.
 *
 * @throws {GraphError} when it is unknown whether the request arrived.
 */
export const requestExport = async (
  graph: GraphClient,
  userId: string,
  storageLocation: string,
): Promise<ExportAnswer> => {
  const operation = "POST exportPersonalData";
  const target = `/v1.0/users/${encodeURIComponent(userId)}/exportPersonalData`;
  try {
    const { header } = await graph.answer(
      { operation, target, method: "POST", body: { storageLocation } },
      z.unknown(),
    );
    return { outcome: "accepted", operationId: operationIn(header("location")), ...waitIn(header("retry-after")) };
  } catch (error) {
    if (hasCode(error, ALREADY_USED)) return { outcome: "used" };
    if (!(error instanceof GraphError)) throw error;
    if (error.status === 429) return { outcome: "limited", ...wait(error.retryAfterMs) };
    if (FINAL.includes(error.status)) return { outcome: "refused", status: error.status, code: error.code };
    throw error;
  }
};

/** The id in the location. Its URL is not used: a link may lead anywhere, and the path is known. */
const operationIn = (location: string | undefined): string => {
  const id = /\/dataPolicyOperations(?:\/|\(')([\w-]{1,100})(?:'\))?$/i.exec(location ?? "")?.[1];
  if (id === undefined) throw new Error("Graph accepted the export, but did not name its operation");
  return id;
};

/** `storageLocation` is not read: it may be the whole URL with its signature. */
const Operation = z.looseObject({
  status: z.string(),
  progress: z.union([z.number(), z.string()]).nullish().catch(undefined),
});

/** The state of an export. `progress` is in percent. */
interface ExportState {
  readonly state: (typeof KNOWN)[number] | "unknown";
  readonly progress?: number;
  readonly retryAfterMs?: number;
}

const KNOWN = ["notStarted", "running", "complete", "failed"] as const;

/**
 * The state of an export; a status that is not documented is returned as `unknown`.
 * Source: learn.microsoft.com/graph/api/resources/datapolicyoperation.
 */
export const findExport = async (graph: GraphClient, operationId: string): Promise<ExportState> => {
  const target = `/v1.0/dataPolicyOperations/${encodeURIComponent(operationId)}`;
  const { body, header } = await graph.answer({ operation: "GET dataPolicyOperation", target }, Operation);
  const state = KNOWN.find((known) => known === body.status) ?? "unknown";
  return { state, ...percentIn(body.progress), ...waitIn(header("retry-after")) };
};

/** Progress is a number by the schema, and text by the documentation. */
const percentIn = (progress: number | string | null | undefined): { progress?: number } => {
  const percent = Number.parseFloat(String(progress));
  return Number.isNaN(percent) ? {} : { progress: Math.min(100, Math.max(0, percent)) };
};

const wait = (ms: number | undefined): { retryAfterMs?: number } => (ms === undefined ? {} : { retryAfterMs: ms });

const waitIn = (header: string | undefined): { retryAfterMs?: number } => wait(retryAfterMs(header, Date.now()));
