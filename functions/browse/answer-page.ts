import type { HttpResponseInit } from "@azure/functions";
import { pageTokens } from "../../shared/http/page-token.ts";
import { json } from "../../shared/http/problem.ts";
import { invalidPage } from "../../shared/http/query.ts";
import { Position, type PositionedRecord } from "../../shared/vault/indexed-records.ts";
import type { CatalogueRecord } from "../../shared/vault/records.ts";

/** Where the first page begins. */
const START: Position = { part: 0, record: 0 };

/**
 * How long one page may look for records. A search that finds little answers with a short page, and the next goes on.
 */
const BUDGET_MS = 20_000;

interface PageRequest<R extends CatalogueRecord> {
  /** Identifies the list by all that decides its records. A token is valid for this list only. */
  readonly list: unknown;
  readonly token: string | undefined;
  readonly pageSize: number;
  readonly budgetMs?: number | undefined;
  readonly recordsFrom: (from: Position) => AsyncIterable<PositionedRecord<R>>;
  readonly isWanted?: (record: R) => boolean;
}

/**
 * 200 with one page of records, rendered by `body`, and `next` if there may be more; 400 for a token of another list.
 */
export const answerPage = async <R extends CatalogueRecord>(
  { list, token, recordsFrom, ...bounds }: PageRequest<R>,
  body: (page: readonly R[]) => object,
): Promise<HttpResponseInit> => {
  const tokens = pageTokens(Position, list);
  const from = token === undefined ? START : tokens.read(token);
  if (from === undefined) return invalidPage();
  const { page, next } = await takePage(recordsFrom(from), bounds);
  return json(200, { ...body(page), ...(next === undefined ? {} : { next: tokens.write(next) }) });
};

/**
 * The first wanted records, and the position of the record after them if there is one. Reads at least one record even
 * when no time is left, so that paging always ends.
 */
const takePage = async <R extends CatalogueRecord>(
  records: AsyncIterable<PositionedRecord<R>>,
  { pageSize, budgetMs = BUDGET_MS, isWanted = () => true }: Omit<PageRequest<R>, "list" | "token" | "recordsFrom">,
): Promise<{ page: R[]; next: Position | undefined }> => {
  const untilMs = Date.now() + budgetMs;
  const page: R[] = [];
  let hasRead = false;
  for await (const { at, record } of records) {
    if (hasRead && Date.now() >= untilMs) return { page, next: at };
    hasRead = true;
    if (!isWanted(record)) continue;
    if (page.length === pageSize) return { page, next: at };
    page.push(record);
  }
  return { page, next: undefined };
};
