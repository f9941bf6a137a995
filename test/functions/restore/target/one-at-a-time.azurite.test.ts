import { describe, expect, test } from "vitest";
import { endTarget, takeTarget } from "../../../../functions/restore/target/target-lease.ts";
import { aRestoreId } from "../../kit.ts";
import { aRestore, contents } from "../a-restore.ts";
import { aLostInbox } from "../whole-restores.ts";

const idOf = (n: number): string => `20261122T09300${n}Z-xyz567`;
const rival = idOf(9);

describe("restores into one mailbox", () => {
  test("that are asked for three times at once import each item once, and the reports agree", async () => {
    const ids = [idOf(0), idOf(1), idOf(2)];
    const kit = await aLostInbox(ids);

    const results = await Promise.all(ids.map(async (id) => (await kit.restore(id)).result));

    expect(await kit.inbox()).toEqual(contents(kit.lost));
    expect(results.map(({ imported }) => imported).toSorted((a, b) => a - b)).toEqual([0, 0, kit.lost.length]);
    expect(results.map(({ present }) => present).toSorted((a, b) => a - b)).toEqual([0, 6, 6]);
    expect(results.every(({ missing, ambiguous, failed }) => missing + ambiguous + failed === 0)).toBe(true);
    expect((await kit.admin.counters({})).violations).toEqual([]);
  });
});

describe("an activity of a restore that does not have its mailbox", () => {
  const aLateRestore = async () => {
    const kit = await aRestore();
    const take = (restoreId: string) =>
      takeTarget(kit.work, kit.mailbox.key, { restoreId, waits: true }, async () => "ended");
    const exclusive = true;
    await take(aRestoreId);
    return { ...kit, take, exclusive };
  };

  test("plans nothing, and its job asks again", async () => {
    const { planStep, take, exclusive, admin } = await aLateRestore();
    await take(rival);
    const { requests } = await admin.counters({});

    expect(await planStep({ exclusive })).toMatchObject({ unfinished: true, notHeld: true });
    expect((await admin.counters({})).requests).toEqual(requests);
  });

  test("imports nothing, and its job asks again", async () => {
    const { loseInbox, upload, take, inbox, exclusive } = await aLateRestore();
    const { session } = await loseInbox();
    await take(rival);

    expect(await upload(session, { exclusive })).toMatchObject({ notHeld: true, imported: 0 });
    expect(await inbox()).toEqual([]);
  });

  test("imports under its own, and leaves it to the next when its report is written", async () => {
    const { loseInbox, upload, reconcile, raised, take, mailbox, work, exclusive } = await aLateRestore();
    const alive = (restoreId: string) => takeTarget(work, mailbox.key, { restoreId, waits: true }, async () => "alive");
    const { lost, session } = await loseInbox();

    expect(await upload(session, { exclusive })).toMatchObject({ imported: lost.length });
    expect(await alive(rival)).toMatchObject({ first: aRestoreId });
    await reconcile();
    expect(raised).toEqual([
      [`restore-${rival}`, "wake"],
      [`undo-${rival}`, "wake"],
    ]);
    expect(await alive(rival)).toBe(true);
    await endTarget(work, mailbox.key, rival);
    expect(await take(aRestoreId)).toBe(true);
  });
});
