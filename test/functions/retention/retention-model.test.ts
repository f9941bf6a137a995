import { describe, expect, test } from "vitest";
import { readBase } from "../../../shared/vault/base.ts";
import { baseName, headName, manifestName } from "../../../shared/vault/names.ts";
import { readManifest } from "../../../shared/vault/snapshots.ts";
import { randomFrom } from "../../faults/random.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { aMailboxHistory } from "./a-mailbox-history.ts";

type History = ReturnType<typeof aMailboxHistory>;

const POLICIES = ["last=1", "last=3", "daily=2,weekly=2", "last=2,within=2d,monthly=1", "hourly=1,yearly=2"] as const;
const STEPS = 26;

/** Every snapshot still has exactly its original contents, and every byte of them is readable. */
const expectWhole = async (history: History, ids: readonly string[]): Promise<void> => {
  for (const id of ids) expect((await history.contentsOf(id)).contents).toEqual(history.snapshots.get(id));
};

/** Exactly the blobs that the present snapshots need, found with nothing but the format. */
const neededNames = async (history: History): Promise<string[]> => {
  const names = new Set([headName(aKey)]);
  for (const id of await history.manifests()) {
    const manifest = (await readManifest(history.stored, aKey, id))?.manifest;
    const base = await readBase(history.stored, aKey, id);
    names.add(manifestName(aKey, id));
    if (base !== undefined) names.add(baseName(aKey, id));
    for (const { name } of [...(manifest?.parts ?? []), ...(base?.parts ?? [])]) names.add(name);
    for (const pack of (await history.contentsOf(id)).packs) names.add(pack);
  }
  return [...names].toSorted();
};

const play = async (seed: number): Promise<void> => {
  const random = randomFrom(seed);
  const history = aMailboxHistory(random, random.oneOf(POLICIES));
  const kill = () => (random.chance(0.4) ? 12 : undefined);
  const backUp = async (): Promise<void> => {
    history.change();
    if (!history.inFlight() && !(await history.survives(kill(), history.begin))) history.abandon();
    if (random.chance(0.8)) await history.survives(kill(), history.commit);
  };
  const retainOnce = async (): Promise<void> => {
    const kept = await history.kept();
    const calls = random.chance(0.3) ? random.number(1, 3) : 1_000;
    await history.survives(kill(), () => history.cycle(calls));
    expect(await history.manifests()).toEqual(expect.arrayContaining(kept));
    await expectWhole(history, await history.manifests());
  };
  const bothAtOnce = async (): Promise<void> => {
    const kept = await history.kept();
    history.change();
    await Promise.all([
      history.inFlight() ? history.commit() : history.begin(),
      history.cycle(1_000),
      history.compactNewest(),
      history.cycle(1_000),
    ]);
    expect(await history.manifests()).toEqual(expect.arrayContaining(kept));
    await expectWhole(history, await history.manifests());
  };

  for (let step = 0; step < STEPS; step += 1) {
    history.pass(random.oneOf([0, 5, 13, 25, 49]));
    const act = random.oneOf([backUp, backUp, backUp, retainOnce, retainOnce, bothAtOnce, "compact", "hold"] as const);
    if (act === "compact") await history.survives(kill(), history.compactNewest);
    else if (act === "hold") await history.hold(random.chance(0.5));
    else await act();
  }

  history.abandon();
  history.pass(1);
  await history.hold(false);
  await history.begin();
  await history.commit();
  for (const _ of ["lists", "removes"]) {
    expect(await history.cycle(Number.POSITIVE_INFINITY)).toMatchObject({ outcome: "done" });
    history.pass(24);
  }
  expect(await history.manifests()).toEqual(await history.kept());
  await expectWhole(history, await history.manifests());
  expect([...history.stored.blobs.keys()].toSorted()).toEqual(await neededNames(history));
};

describe("backups, compaction, retention and removal in any order, with kills", () => {
  test.each(Array.from({ length: 24 }, (_, seed) => seed))(
    "leave every kept snapshot whole, and no blob that none needs (history %i)",
    (seed) => play(seed),
  );
});
