import type { HttpHandler } from "@azure/functions";
import * as z from "zod";
import { mapBounded } from "../../shared/bounded.ts";
import { MailboxKey } from "../../shared/contracts/ids.ts";
import { pageTokens } from "../../shared/http/page-token.ts";
import { json } from "../../shared/http/problem.ts";
import { invalidParameter, invalidQuery, paging, readQuery } from "../../shared/http/query.ts";
import { readScope } from "../backup/discover/scope-state.ts";
import { storedMailbox } from "../browse/stored-mailbox.ts";
import { latestAgeMs } from "./coverage.ts";
import { type CoverageSource, coveredMailboxes, lookAt, type SharedScan } from "./coverage-scan.ts";

/** Mailboxes looked up at the same time. */
const READERS = 16;

const Query = z.strictObject(paging(200));

/** A page begins after this mailbox. */
const tokens = pageTokens(MailboxKey, "coverage");

/**
 * GET /api/coverage?page=&pageSize=
 *
 * 200 with the numbers of all mailboxes, as of the last scan, and with a page of the mailboxes themselves, as of now, in the
 * order of their keys, and `next` if there are more: those of the vault and those that are to be backed up. 400 for a
 * parameter that does not parse.
 */
export const getCoverage =
  (deps: CoverageSource & { readonly scan: SharedScan }): HttpHandler =>
  async (request) => {
    const query = Query.safeParse(readQuery(request.query));
    if (!query.success) return invalidQuery(query.error);
    const { page, pageSize } = query.data;
    const after = page === undefined ? "" : tokens.read(page);
    if (after === undefined) return invalidParameter("page", "Expected the next of a page of this very list");

    const { vault, state, intervalMs } = deps;
    const { at, summary } = await deps.scan();
    const scope = await readScope(state);
    const keys = (await coveredMailboxes(vault, scope)).filter((key) => key > after);
    const judgement = { nowMs: Date.now(), intervalMs, scope };
    const mailboxes = await mapBounded(keys.slice(0, pageSize), READERS, (key) =>
      lookAt(deps, key, judgement, storedMailbox),
    );
    const last = mailboxes.at(-1);
    return json(200, {
      summary: { at, ...summary },
      wanted: { intervalSeconds: intervalMs / 1000, staleAfterSeconds: latestAgeMs(intervalMs) / 1000 },
      mailboxes,
      ...(keys.length <= pageSize || last === undefined ? {} : { next: tokens.write(last.mailbox) }),
    });
  };
