import type { HttpResponseInit } from "@azure/functions";
import * as z from "zod";
import { problemResponse } from "./problem.ts";

/** A request's parameters by name. A repeated one is a list, which no schema of a single value accepts. */
export const readQuery = (query: URLSearchParams): Record<string, string | string[]> =>
  Object.fromEntries(
    [...new Set(query.keys())].map((name) => {
      const [first = "", ...more] = query.getAll(name);
      return [name, more.length === 0 ? first : [first, ...more]];
    }),
  );

/** 400 that names each wrong parameter, and what is wrong with it. */
export const invalidQuery = (error: z.ZodError): HttpResponseInit =>
  invalid(
    error.issues.flatMap((issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((field) => ({ field, message: "There is no such parameter" }))
        : [{ field: issue.path.join("."), message: issue.message }],
    ),
  );

/** 400 for a page that is not the `next` of a page of the same list. */
export const invalidPage = (): HttpResponseInit =>
  invalid([{ field: "page", message: "Expected the next of an earlier page of this list" }]);

const invalid = (errors: readonly { field: string; message: string }[]): HttpResponseInit =>
  problemResponse(400, "invalid-request", errors.map(({ field, message }) => `${field}: ${message}.`).join(" "), {
    errors,
  });

const MAX_ENTRIES = 1_000;

const SIZE = `Expected a whole number from 1 to ${MAX_ENTRIES}`;

/** The parameters of a list in pages; `pageSize` is the default size. */
export const paging = (pageSize: number) => ({
  /** The `next` of the previous page. */
  page: z.string().optional(),
  pageSize: z.coerce.number(SIZE).int(SIZE).min(1, SIZE).max(MAX_ENTRIES, SIZE).default(pageSize),
});
