import type { IncomingMessage, ServerResponse } from "node:http";
import { planBatch } from "./batch.ts";
import { planGraph } from "./graph-endpoint.ts";
import { readJson, serve } from "./http-exchange.ts";
import type { GraphRequest, World } from "./world.ts";

const BATCH_PATH = /^\/(v1\.0|beta)\/\$batch$/;

/** Serves the Graph origin: `/v1.0` and `/beta`. */
export const serveGraph = (world: World, incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
  const request = graphRequest(world, incoming);
  const isBatch = request.method === "POST" && BATCH_PATH.test(request.path);
  const bodyBytes = Number(incoming.headers["content-length"] ?? 0);
  return serve(world, incoming, response, () =>
    isBatch ? planBatch(world, request) : planGraph(world, request, bodyBytes),
  );
};

const graphRequest = (world: World, incoming: IncomingMessage): GraphRequest => {
  const origin = `http://${incoming.headers.host ?? "127.0.0.1"}`;
  const url = new URL(incoming.url ?? "/", origin);
  return {
    method: incoming.method ?? "GET",
    origin,
    path: url.pathname,
    query: url.searchParams,
    header: (name) => incoming.headers[name]?.toString(),
    json: () => readJson(world, incoming),
  };
};
