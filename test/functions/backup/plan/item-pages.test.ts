import { describe, expect, test } from "vitest";
import { firstPages, itemPages } from "../../../../functions/backup/plan/item-pages.ts";
import type { RunFolder } from "../../../../functions/backup/run-state.ts";
import { type Answer, aGraph } from "../../../shared/graph/a-graph.ts";

const mailbox = { id: "MBX:1@2", kind: "primary" } as const;
const LINK = "/v1.0/admin/exchange/mailboxes/MBX:1@2/folders/b/items/delta?$deltatoken=1";

const folder = (id: string, deltaLink?: string): RunFolder => ({
  id,
  displayName: id,
  path: id,
  type: "IPF.Note",
  itemCount: 1,
  known: false,
  retry: [],
  lost: [],
  ...(deltaLink === undefined ? {} : { deltaLink }),
});

const page = (...ids: string[]): Answer => ({ body: { value: ids.map((id) => ({ id })) } });

const linked = (link: "next" | "delta", to: string, ...ids: string[]): Answer => ({
  body: { value: ids.map((id) => ({ id })), [`@odata.${link}Link`]: `{origin}/${to}` },
});
const lastPage = (...ids: string[]): Answer => linked("delta", "d", ...ids);

const pagesOf = async (...answers: readonly Answer[]) => {
  const { client, asked, origin } = await aGraph(answers, { untilMs: 0 });
  const first = firstPages(client, mailbox);
  return { first, pages: itemPages(client, mailbox, first), asked, origin };
};

const ids = ({ value }: { readonly value: readonly { readonly id: string }[] }) => value.map(({ id }) => id);

describe("first pages", () => {
  test("that were requested are returned once, by listing and by delta", async () => {
    const { first, pages, asked } = await pagesOf(page("1"), lastPage("2"), page("3"), lastPage("4"));
    first.offer([folder("a"), folder("b", LINK)]);
    await first.settled();

    expect(ids(await pages.list("a"))).toEqual(["1"]);
    expect(ids(await pages.delta("b", LINK))).toEqual(["2"]);
    expect(asked).toHaveLength(2);
    expect(ids(await pages.list("a"))).toEqual(["3"]);
    expect(ids(await pages.delta("b", LINK))).toEqual(["4"]);
  });

  test("are not requested twice, or while four are held", async () => {
    const { first, pages, asked } = await pagesOf(page("1"));
    const many = Array.from({ length: 12 }, (_, n) => folder(`f${n}`));
    first.offer(many);
    first.offer(many);
    await first.settled();
    expect(asked).toHaveLength(4);

    await pages.list("f0");
    first.offer(many);
    await first.settled();
    expect(asked).toHaveLength(5);
  });

  test("that failed throw to the planner that takes them, and to no other", async () => {
    const { first, pages } = await pagesOf({ status: 410, body: { error: { code: "syncStateNotFound" } } }, page("1"));
    first.offer([folder("a")]);
    await first.settled();

    await expect(pages.list("a")).rejects.toMatchObject({ status: 410 });
    expect(ids(await pages.list("a"))).toEqual(["1"]);
  });
});

describe("a round", () => {
  const isBroken = { name: "BrokenAnswerError" };

  test("that comes back to one of its pages fails, also when its first page was requested ahead", async () => {
    const answers = [linked("next", "p2", "1"), linked("next", "p3", "2"), linked("next", "p2", "3")];
    const { first, pages, asked, origin } = await pagesOf(...answers);
    first.offer([folder("a")]);

    const { nextLink } = await pages.list("a");
    const second = await pages.list("a", nextLink);

    expect(second.nextLink).toBe(`${origin}/p3`);
    await expect(pages.list("a", second.nextLink)).rejects.toMatchObject(isBroken);
    expect(asked).toHaveLength(2 + 3);
  });

  test("begins anew with its first page, and with a link that another page named", async () => {
    const answers = [linked("next", "p2", "1"), linked("next", "p3", "2")];
    const { pages, origin } = await pagesOf(...answers, ...answers, ...answers, lastPage());
    const pass = async (first?: string) => {
      const { nextLink } = await pages.delta("a", first);
      return pages.delta("a", nextLink);
    };

    await pass();
    await pass();
    expect((await pass(`${origin}/start`)).nextLink).toBe(`${origin}/p3`);
  });

  test("of one folder knows nothing of another's, and a listing nothing of a delta", async () => {
    const same = linked("next", "same", "1");
    const { pages, origin } = await pagesOf(same, same, same, page("2"));
    await pages.list("a");
    await pages.list("b");
    await pages.delta("a");

    expect(ids(await pages.list("b", `${origin}/same`))).toEqual(["2"]);
  });

  test("of delta without any link fails", async () => {
    const { pages } = await pagesOf(page("1"));

    await expect(pages.delta("a")).rejects.toMatchObject(isBroken);
  });
});

test("the problems of a page come with it", async () => {
  const { pages } = await pagesOf({ body: { value: [{ id: "1", size: -1 }, {}] } });

  const problems = [{ id: "1", what: "size is not of the documented form" }, { what: "an element without an id" }];
  expect(await pages.list("a")).toMatchObject({ value: [{ id: "1" }], problems });
});
