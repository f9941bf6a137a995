import { describe, expect, test } from "vitest";
import * as z from "zod";
import { fetchAll, fetchPage } from "../../../shared/graph/page.ts";
import { all } from "../vault/samples.ts";
import { aGraph } from "./a-graph.ts";

const Element = z.looseObject({ id: z.string() });
const request = { operation: "GET things", target: "/v1.0/things", headers: { prefer: "x" } };

describe("fetchPage", () => {
  test.each([
    [{ "@odata.nextLink": "https://x/next" }, { nextLink: "https://x/next", deltaLink: undefined }],
    [{ "@odata.deltaLink": "https://x/delta" }, { nextLink: undefined, deltaLink: "https://x/delta" }],
    [{}, { nextLink: undefined, deltaLink: undefined }],
  ])("returns the links of %j", async (links, expected) => {
    const { client } = await aGraph([{ body: { value: [], ...links } }]);
    expect(await fetchPage(client, request, Element)).toEqual({ value: [], ...expected });
  });

  test("names the element that is not of the expected shape", async () => {
    const { client } = await aGraph([{ body: { value: [{ id: "1" }, { id: 2 }] } }]);
    await expect(fetchPage(client, request, Element)).rejects.toThrow(/at value\.1\.id$/);
  });
});

describe("fetchAll", () => {
  test("goes from page to page with the same headers, over empty ones too", async () => {
    const { client, asked } = await aGraph([
      { body: { value: [{ id: "1" }, { id: "2" }], "@odata.nextLink": "{origin}/v1.0/things?p=2" } },
      { body: { value: [], "@odata.nextLink": "{origin}/v1.0/things?p=3" } },
      { body: { value: [{ id: "3" }] } },
    ]);

    const found = await all(fetchAll(client, request, Element));

    expect(found.map(({ id }) => id)).toEqual(["1", "2", "3"]);
    expect(asked.map(({ url }) => url)).toEqual(["/v1.0/things", "/v1.0/things?p=2", "/v1.0/things?p=3"]);
    expect(asked.every(({ headers }) => headers["prefer"] === "x")).toBe(true);
  });
});
