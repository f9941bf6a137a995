import { describe, expect, test } from "vitest";
import { itemPages } from "../../../../functions/backup/plan/item-pages.ts";
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
  ...(deltaLink === undefined ? {} : { deltaLink }),
});

const page = (...ids: string[]): Answer => ({ body: { value: ids.map((id) => ({ id })) } });

const pagesOf = async (...answers: readonly Answer[]) => {
  const { client, asked } = await aGraph(answers, { untilMs: 0 });
  return { pages: itemPages(client, mailbox), asked };
};

const ids = ({ value }: { readonly value: readonly { readonly id: string }[] }) => value.map(({ id }) => id);

describe("pages", () => {
  test("that were requested ahead are returned once, by listing and by delta", async () => {
    const { pages, asked } = await pagesOf(page("1"), page("2"), page("3"), page("4"));
    pages.offer([folder("a"), folder("b", LINK)]);
    await pages.lookAhead();
    await pages.lookAhead();

    expect(ids(await pages.list("a"))).toEqual(["1"]);
    expect(ids(await pages.delta("b", LINK))).toEqual(["2"]);
    expect(asked).toHaveLength(2);
    expect(ids(await pages.list("a"))).toEqual(["3"]);
    expect(ids(await pages.delta("b", LINK))).toEqual(["4"]);
  });

  test("are not requested ahead for a folder that has begun, twice, or beyond eight", async () => {
    const { pages, asked } = await pagesOf(page("1"));
    const many = Array.from({ length: 12 }, (_, n) => folder(`f${n}`));
    await pages.list("f0");
    pages.offer(many);
    pages.offer(many);

    while (pages.lookAhead() !== undefined);
    await pages.settled();

    expect(asked).toHaveLength(1 + 8);
    await pages.list("f1");
    await pages.lookAhead();
    expect(asked).toHaveLength(1 + 9);
  });

  test("that failed throw to the planner that takes them, and to no other", async () => {
    const { pages } = await pagesOf({ status: 410, body: { error: { code: "syncStateNotFound" } } }, page("1"));
    pages.offer([folder("a")]);

    await pages.lookAhead();

    await expect(pages.list("a")).rejects.toMatchObject({ status: 410 });
    expect(ids(await pages.list("a"))).toEqual(["1"]);
  });
});
