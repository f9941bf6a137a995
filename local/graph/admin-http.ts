import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import type { AdminOperations } from "./admin.ts";
import { GraphFailure } from "./errors.ts";
import { readJson } from "./http-exchange.ts";
import type { World } from "./world.ts";

export const ADMIN_PREFIX = "/__admin/";

type AnyOperation = (input: never) => Promise<unknown>;

/**
 * Serves `POST /__admin/{operation}` with the input as JSON, and `GET` with it as query. Answers 200 with the result (a
 * listing of items as JSON lines), 204 without one, 400 `{"error"}` for bad input, 404 for what is not there.
 */
export const serveAdmin = async (
  world: World,
  operations: AdminOperations,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const url = new URL(request.url ?? "/", "http://localhost");
  const name = url.pathname.slice(ADMIN_PREFIX.length);
  const known: ReadonlyMap<string, AnyOperation> = new Map(Object.entries(operations));
  const operation = known.get(name);
  if (operation === undefined) return answer(response, 404, { error: `There is no operation ${name}` });

  try {
    const given = request.method === "GET" ? Object.fromEntries(url.searchParams) : await readJson(world, request);
    const result = await operation((given ?? {}) as never);
    if (isAsyncIterable(result)) return await answerLines(response, result);
    answer(response, result === undefined ? 204 : 200, result);
  } catch (error) {
    if (error instanceof RangeError) return answer(response, 404, { error: error.message });
    if (error instanceof z.ZodError) return answer(response, 400, { error: z.prettifyError(error) });
    if (error instanceof GraphFailure) return answer(response, error.status, { error: error.message });
    answer(response, 500, { error: error instanceof Error ? error.message : String(error) });
    throw error;
  }
};

const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === "object" && value !== null && Symbol.asyncIterator in value;

const answer = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(body === undefined ? undefined : JSON.stringify(body));
};

const answerLines = async (response: ServerResponse, lines: AsyncIterable<unknown>): Promise<void> => {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  for await (const line of lines) {
    if (response.destroyed) return;
    response.write(`${JSON.stringify(line)}\n`);
  }
  response.end();
};
