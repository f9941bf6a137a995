import type { HttpHandler } from "@azure/functions";
import * as z from "zod";
import { mapBounded } from "../../shared/bounded.ts";
import { MailboxKey } from "../../shared/contracts/ids.ts";
import { pageTokens } from "../../shared/http/page-token.ts";
import { json } from "../../shared/http/problem.ts";
import { invalidPage, invalidQuery, paging, readQuery } from "../../shared/http/query.ts";
import { readScope } from "../backup/discover/scope-state.ts";
import { storedMailbox } from "../browse/stored-mailbox.ts";
import { staleAfterMs } from "./coverage.ts";
import { type CoverageSource, coveredMailboxes, readCoverage, type SharedScan } from "./coverage-scan.ts";

/** Mailboxes that are read at the same time. */
const READERS = 16;

const Query = z.strictObject(paging(200));

/** A page begins after this mailbox. */
const tokens = pageTokens(MailboxKey, "coverage");

/**
 * GET /api/coverage?page=&pageSize=
 *
 * 200 with totals over all mailboxes, as of the last scan, and with a page of mailboxes, as of now, in the order of
 * their keys, and `next` if there are more. The mailboxes are those in the vault and those in scope. 400 for a
 * parameter that does not parse.
 */
export const getCoverage =
  (deps: CoverageSource & { readonly scan: SharedScan }): HttpHandler =>
  async (request) => {
    const query = Query.safeParse(readQuery(request.query));
    if (!query.success) return invalidQuery(query.error);
    const { page, pageSize } = query.data;
    const after = page === undefined ? "" : tokens.read(page);
    if (after === undefined) return invalidPage();

    const { vault, state, intervalMs } = deps;
    const { at, summary, leftOut } = await deps.scan();
    const scope = await readScope(state);
    const keys = (await coveredMailboxes(vault, scope)).filter((key) => key > after);
    const criteria = { nowMs: Date.now(), intervalMs, scope };
    const mailboxes = await mapBounded(keys.slice(0, pageSize), READERS, (key) =>
      readCoverage(deps, key, criteria, storedMailbox),
    );
    const last = mailboxes.at(-1);
    return json(200, {
      summary: { at, ...summary, ...(leftOut === undefined ? {} : { leftOut }) },
      wanted: { intervalSeconds: intervalMs / 1000, staleAfterSeconds: staleAfterMs(intervalMs) / 1000 },
      mailboxes,
      ...(keys.length <= pageSize || last === undefined ? {} : { next: tokens.write(last.mailbox) }),
    });
  };
