import type { HttpHandler } from "@azure/functions";
import * as z from "zod";
import { runStart } from "../../shared/contracts/ids.ts";
import { personalDataInstance } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { jobOf } from "../../shared/durable/job-status.ts";
import { findInstance } from "../../shared/durable/start-once.ts";
import { pageTokens } from "../../shared/http/page-token.ts";
import { json } from "../../shared/http/problem.ts";
import { invalidPage, invalidQuery, paging, readQuery } from "../../shared/http/query.ts";
import { exportNotFound } from "./export-not-found.ts";
import type { Packages } from "./packages.ts";
import { readInventory } from "./read-inventory.ts";

/** An export takes hours: a caller who polls faster gets nothing new. */
const RETRY_AFTER_SECONDS = "30";

const Query = z.strictObject(paging(1_000));

/**
 * GET /api/personal-data-exports/{id}
 *
 * 200 with the export's state and progress, the date when an answer is due, and pages of the inventory once there is
 * one; 400 for an invalid page; 404 for an export that does not exist.
 */
export const getPersonalDataExport =
  (deps: { readonly clientOf: ClientOf; readonly packages: Packages; readonly deadlineMs: number }): HttpHandler =>
  async (request, context) => {
    const query = Query.safeParse(readQuery(request.query));
    if (!query.success) return invalidQuery(query.error);
    const id = request.params["id"] ?? "";
    const tokens = pageTokens(z.int().nonnegative(), id);
    const from = query.data.page === undefined ? 0 : tokens.read(query.data.page);
    if (from === undefined) return invalidPage();

    const exportId = personalDataInstance.parse(id)?.[0];
    if (exportId === undefined) return exportNotFound();
    const status = await findInstance(deps.clientOf(context), id);
    const container = (await deps.packages.find(exportId)).at(-1);
    if (status === undefined && container === undefined) return exportNotFound();

    const job = status && jobOf(status);
    const isOpen = job?.state === "pending" || job?.state === "running";
    const listed =
      container === undefined
        ? undefined
        : await readInventory(deps.packages.open(container), from, query.data.pageSize);
    const submitted = runStart(exportId);
    return json(
      200,
      {
        id,
        // The package outlives a history that was purged.
        state: job?.state ?? "unknown",
        ...(job?.progress === undefined ? {} : { progress: job.progress }),
        ...(job?.result === undefined ? {} : { result: job.result }),
        ...(job?.error === undefined ? {} : { error: job.error }),
        submitted: submitted.toISOString(),
        deadline: new Date(submitted.getTime() + deps.deadlineMs).toISOString(),
        package: container === undefined ? "absent" : "kept",
        ...(listed && {
          inventory: {
            bytes: listed.inventoryBytes,
            files: listed.files.map((file) => ({ ...file, href: filePath(id, file.name) })),
            ...(listed.next === undefined ? {} : { next: tokens.write(listed.next) }),
          },
        }),
      },
      isOpen ? { "retry-after": RETRY_AFTER_SECONDS } : {},
    );
  };

/** The address of a file of an export: slashes of its name stay slashes. */
const filePath = (id: string, name: string): string =>
  `/api/personal-data-exports/${id}/files/${name.split("/").map(encodeURIComponent).join("/")}`;
