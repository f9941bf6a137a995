import type { HttpHandler } from "@azure/functions";
import { json } from "../../shared/http/problem.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { readRehearsalReports } from "./rehearsal-state.ts";

/** Reports in a response: one for each day of a month. */
const MAX_REPORTS = 31;

/**
 * GET /api/rehearsals
 *
 * 200 with the reports of the last 31 restore rehearsals, the newest first: what was restored, and whether every item
 * came back as it was.
 */
export const listRehearsals =
  (deps: { readonly state: Blobs }): HttpHandler =>
  async () =>
    json(200, { rehearsals: await readRehearsalReports(deps.state, MAX_REPORTS) });
