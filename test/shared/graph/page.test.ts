import { describe, expect, test } from "vitest";
import * as z from "zod";
import { fetchAll, fetchPage } from "../../../shared/graph/page.ts";
import type { PageProblem } from "../../../shared/graph/read-element.ts";
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
    expect(await fetchPage(client, request, Element)).toEqual({ value: [], problems: [], ...expected });
  });

  test("returns the elements that are usable, and tells of the others by their id, if they have one", async () => {
    const Named = Element.extend({ name: z.string() });
    const value = [
      { id: "1", name: "a" },
      { id: 2, name: "b" },
      { id: "" },
      null,
      "5",
      { id: "6" },
      { id: "7", name: "c" },
    ];
    const { client } = await aGraph([{ body: { value } }]);

    const page = await fetchPage(client, request, Named);

    expect(page.value).toEqual([value[0], value[6]]);
    const nameless = { what: "an element without an id" };
    expect(page.problems).toEqual([nameless, nameless, nameless, nameless, { id: "6", what: "unreadable" }]);
  });

  test("leaves out what is odd in an element, an array's entry alone, and names it without its value", async () => {
    const Thing = Element.extend({
      size: z.int().optional(),
      tags: z.array(z.string()).optional(),
      properties: z.array(z.object({ key: z.string(), value: z.string().optional() })).optional(),
    });
    const odd = {
      id: "1",
      size: "secret",
      tags: ["a", null, "b", 7, "c"],
      properties: [{ key: "p", value: 5 }, { value: "no key" }, { key: "q", value: "x" }],
    };
    const { client } = await aGraph([{ body: { value: [odd, { id: "2", size: 3 }] } }]);

    const page = await fetchPage(client, request, Thing);

    expect(page.value).toEqual([
      { id: "1", tags: ["a", "b", "c"], properties: [{ key: "p" }, { key: "q", value: "x" }] },
      { id: "2", size: 3 },
    ]);
    const places = ["properties.0.value", "properties.1", "size", "tags.1", "tags.3"];
    expect(page.problems.toSorted((a, b) => (a.what < b.what ? -1 : 1))).toEqual(
      places.map((place) => ({ id: "1", what: `${place} is not of the documented form` })),
    );
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

  test("tells of what is odd in any of its pages", async () => {
    const { client } = await aGraph([
      { body: { value: [{}, { id: "1" }], "@odata.nextLink": "{origin}/v1.0/things?p=2" } },
      { body: { value: [{ id: "2" }, 3] } },
    ]);
    const problems: PageProblem[] = [];

    const found = await all(fetchAll(client, request, Element, (problem) => problems.push(problem)));

    expect(found.map(({ id }) => id)).toEqual(["1", "2"]);
    expect(problems).toEqual([{ what: "an element without an id" }, { what: "an element without an id" }]);
  });
});
