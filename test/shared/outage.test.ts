import { RestError } from "@azure/core-rest-pipeline";
import { describe, expect, test } from "vitest";
import { GraphError } from "../../shared/graph/graph-error.ts";
import { outageOf } from "../../shared/outage.ts";
import { StalledDownloadError } from "../../shared/storage/steady-download.ts";

const graph = (status: number, retryAfterMs?: number) => new GraphError("GET items", { status, retryAfterMs });
const storage = (statusCode?: number) =>
  new RestError("no", { code: "X", ...(statusCode === undefined ? {} : { statusCode }) });

describe("outageOf", () => {
  test.each([0, 408, 429, 502, 503, 504, 509])("Graph's %i is an outage", (status) => {
    expect(outageOf(graph(status))).toEqual({ askedMs: 0 });
    expect(outageOf(graph(status, 7))).toEqual({ askedMs: 7 });
  });

  test.each([400, 401, 403, 404, 409, 423, 500])("Graph's %i is one where it asks for a wait", (status) => {
    expect(outageOf(graph(status))).toBeUndefined();
    expect(outageOf(graph(status, 7))).toEqual({ askedMs: 7 });
  });

  test("storage that cannot be reached, is busy or stalls is one; storage that refuses is not", () => {
    for (const error of [storage(), storage(503), storage(500), new StalledDownloadError("no bytes")])
      expect(outageOf(error)).toEqual({ askedMs: 0 });
    for (const error of [storage(403), storage(404), storage(412), new Error("a bug")])
      expect(outageOf(error)).toBeUndefined();
  });
});
