import type { HttpResponseInit } from "@azure/functions";
import { pageTokens } from "../../shared/http/page-token.ts";
import { json } from "../../shared/http/problem.ts";
import { invalidParameter } from "../../shared/http/query.ts";
import { type Placed, Position } from "../../shared/vault/indexed-records.ts";
import type { CatalogueRecord } from "../../shared/vault/records.ts";

/** Where the first page begins. */
const START: Position = { part: 0, record: 0 };

/** The longest that one page looks for records: a search that finds little answers a short page, and goes on in the next. */
const BUDGET_MS = 20_000;

interface PageRequest<R extends CatalogueRecord> {
  /** Whatever decides what the list holds: a token is good for this list only. */
  readonly list: unknown;
  readonly token: string | undefined;
  readonly pageSize: number;
  readonly budgetMs?: number | undefined;
  readonly recordsFrom: (from: Position) => AsyncIterable<Placed<R>>;
  readonly isWanted?: (record: R) => boolean;
}

/** 200 with one page of records, as `body` shows them, and `next` if there may be more; 400 for a token of another list. */
export const answerPage = async <R extends CatalogueRecord>(
  { list, token, recordsFrom, ...bounds }: PageRequest<R>,
  body: (page: readonly R[]) => object,
): Promise<HttpResponseInit> => {
  const tokens = pageTokens(Position, list);
  const from = token === undefined ? START : tokens.read(token);
  if (from === undefined) return invalidParameter("page", "Expected the next of a page of this very list");
  const { page, next } = await takePage(recordsFrom(from), bounds);
  return json(200, { ...body(page), ...(next === undefined ? {} : { next: tokens.write(next) }) });
};

/**
 * The first records that are wanted, and the position of the first one after them; no position when that was all. At
 * least one record is looked at however late it is, so that paging always comes to an end.
 */
const takePage = async <R extends CatalogueRecord>(
  records: AsyncIterable<Placed<R>>,
  { pageSize, budgetMs = BUDGET_MS, isWanted = () => true }: Omit<PageRequest<R>, "list" | "token" | "recordsFrom">,
): Promise<{ page: R[]; next: Position | undefined }> => {
  const untilMs = Date.now() + budgetMs;
  const page: R[] = [];
  let looked = false;
  for await (const { at, record } of records) {
    if (looked && Date.now() >= untilMs) return { page, next: at };
    looked = true;
    if (!isWanted(record)) continue;
    if (page.length === pageSize) return { page, next: at };
    page.push(record);
  }
  return { page, next: undefined };
};
