import { describe, expect, test } from "vitest";
import * as z from "zod";
import { isBrokenAnswer } from "../../../shared/graph/broken-answer.ts";
import { fetchAll, fetchPage, startRound } from "../../../shared/graph/page.ts";
import type { PageProblem } from "../../../shared/graph/read-element.ts";
import { all } from "../vault/samples.ts";
import { type Answer, aGraph } from "./a-graph.ts";

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

describe("a listing", () => {
  const HERE = "{origin}/v1.0/things";
  const page = (id: string, next?: string): Answer => ({
    body: { value: [{ id }], ...(next === undefined ? {} : { "@odata.nextLink": `${HERE}${next}` }) },
  });
  const listed = async (answers: readonly Answer[]) => {
    const { client, asked } = await aGraph(answers);
    const found: string[] = [];
    const failure = await (async () => {
      for await (const { id } of fetchAll(client, request, Element)) found.push(id);
    })().catch((error: unknown) => error);
    return {
      found,
      failure,
      isBroken: isBrokenAnswer(failure),
      asked: asked.map(({ url }) => url?.split("things")[1]),
    };
  };

  test.each([
    ["first page", [page("1", "")], []],
    ["page before", [page("1", "?p=2"), page("2", "?p=2")], ["1"]],
    ["page long before", [page("1", "?p=2"), page("2", "?p=3"), page("3", "?p=2")], ["1", "2"]],
  ])("whose next page is the %s is tried three times, and then fails", async (_, answers, known) => {
    const { found, failure, isBroken, asked } = await listed(answers);

    expect(found).toEqual(known);
    expect(isBroken).toBe(true);
    expect(String(failure)).toContain("Graph's answer to GET things named a next page that was asked for before");
    expect(asked).toHaveLength(known.length + 3);
    expect(new Set(asked.slice(-3)).size).toBe(1);
  });

  test.each([
    ["a next page that was asked for before", page("1", "")],
    ["a next page that is no link", { body: { value: [], "@odata.nextLink": "http://" } }],
    ["no elements", { body: {} }],
    ["a link that is a number", { body: { value: [], "@odata.nextLink": 5 } }],
    ["HTML", { body: "<html>" }],
  ])("with %s goes on when the next try is answered well", async (_, broken) => {
    const { found, asked } = await listed([broken, broken, page("1", "?p=2"), page("2")]);

    expect(found).toEqual(["1", "2"]);
    expect(asked).toEqual(["", "", "", "?p=2"]);
  });

  test("that shows nothing new in two hundred pages fails, and one that shows something goes on", async () => {
    const idle = (from: number, count: number) => Array.from({ length: count }, (_, n) => page("1", `?p=${from + n}`));

    const endless = await listed(idle(0, 300));
    expect(endless.isBroken).toBe(true);
    expect(String(endless.failure)).toContain("does not end");
    expect(endless.asked.length).toBeLessThan(210);

    const slow = await listed([...idle(0, 200), page("2", "?p=x"), ...idle(200, 150), page("3")]);
    expect(slow.failure).toBeUndefined();
    expect(slow.found.at(-1)).toBe("3");
  });
});

describe("a delta round", () => {
  test("may end by its deltaLink alone: a page with neither link is broken", () => {
    const url = "https://graph.microsoft.com/v1.0/delta";
    const check = (links: object) => startRound("delta").check("GET delta", url, { value: [], ...links });

    expect(() => check({})).toThrow("Graph's answer to GET delta ended without a link");
    expect(() => check({ "@odata.nextLink": url })).toThrow("asked for before");
    expect(() => check({ "@odata.nextLink": url.replace("delta", "%64elta") })).toThrow("asked for before");
    expect(() => check({ "@odata.nextLink": `${url}?%` })).not.toThrow();
    expect(() => check({ "@odata.nextLink": `${url}?2` })).not.toThrow();
    expect(() => check({ "@odata.deltaLink": url })).not.toThrow();
    expect(() => startRound("listing").check("GET things", url, { value: [] })).not.toThrow();
  });
});
