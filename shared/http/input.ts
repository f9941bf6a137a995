import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import type * as z from "zod";
import { readBody } from "./body.ts";
import { invalidRequest } from "./problem.ts";
import { invalidQuery, readQuery } from "./query.ts";

/** How a route reads its request: the parsed input, or the response that says what is wrong with it. */
export type ReadInput<T> = (
  request: HttpRequest,
) => Promise<{ readonly input: T } | { readonly refusal: HttpResponseInit }>;

/** The JSON body; 400 names each field that does not parse. */
export const bodyOf =
  <S extends z.ZodType>(schema: S): ReadInput<z.output<S>> =>
  async (request) => {
    const body = schema.safeParse(await readBody(request));
    return body.success ? { input: body.data } : { refusal: invalidRequest(body.error) };
  };

/** The query; 400 names each parameter that does not parse. */
export const queryOf =
  <S extends z.ZodType>(schema: S): ReadInput<z.output<S>> =>
  async (request) => {
    const query = schema.safeParse(readQuery(request.query));
    return query.success ? { input: query.data } : { refusal: invalidQuery(query.error) };
  };

/** Ignores the query and the body. */
export const noInput: ReadInput<undefined> = async () => ({ input: undefined });
