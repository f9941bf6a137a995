import { describe, expect, test } from "vitest";
import { mailboxesOfUser, noteMailboxOfUser } from "../../../../functions/backup/discover/mailboxes-of-user.ts";
import {
  closeScope,
  keepLeftOut,
  keepScopePage,
  readLeftOut,
  readScope,
} from "../../../../functions/backup/discover/scope-state.ts";
import { mailboxKey } from "../../../../shared/vault/mailbox-key.ts";
import { memoryBlobs } from "../../../shared/storage/memory-blobs.ts";

const RUNS = ["20261120T010000Z-abc234", "20261121T010000Z-abc234", "20261122T010000Z-abc234"] as const;

const someone = (name: string) => ({ key: mailboxKey(name), userId: name });

describe("the scope", () => {
  test("is that of the newest complete discovery; those of earlier ones are removed", async () => {
    const state = memoryBlobs();
    await keepScopePage(state, RUNS[0], 0, [someone("ada"), someone("bo")]);
    expect(await readScope(state)).toBeUndefined();
    await closeScope(state, RUNS[0]);

    await keepScopePage(state, RUNS[1], 0, [someone("ada")]);
    expect([...((await readScope(state)) ?? [])]).toEqual([
      [mailboxKey("ada"), "ada"],
      [mailboxKey("bo"), "bo"],
    ]);

    await keepScopePage(state, RUNS[1], 1, [someone("cara")]);
    await closeScope(state, RUNS[1]);
    expect([...((await readScope(state)) ?? new Map()).values()].toSorted()).toEqual(["ada", "cara"]);
    expect([...state.blobs.keys()].some((name) => name.includes(RUNS[0]))).toBe(false);
  });

  test("never goes back to an older discovery that ends late", async () => {
    const state = memoryBlobs();
    for (const [run, name] of [
      [RUNS[2], "ada"],
      [RUNS[1], "bo"],
    ] as const) {
      await keepScopePage(state, run, 0, [someone(name)]);
      await closeScope(state, run);
    }

    expect([...((await readScope(state)) ?? new Map()).values()]).toEqual(["ada"]);
  });

  test("is read again when another replaces it meanwhile", async () => {
    const state = memoryBlobs();
    await keepScopePage(state, RUNS[0], 0, [someone("ada")]);
    await closeScope(state, RUNS[0]);
    let replaced = false;
    const list: typeof state.list = async function* (prefix) {
      if (!replaced && prefix.includes(RUNS[0])) {
        replaced = true;
        await keepScopePage(state, RUNS[1], 0, [someone("bo")]);
        await closeScope(state, RUNS[1]);
      }
      yield* state.list(prefix);
    };

    expect([...((await readScope({ ...state, list })) ?? new Map()).values()]).toEqual(["bo"]);
  });
});

describe("how many were left out", () => {
  test("is counted as of the newest complete discovery; the counts of earlier ones are removed", async () => {
    const state = memoryBlobs();
    for (const [index, run] of RUNS.entries()) {
      await keepLeftOut(state, run, 0, { excluded: index + 1 });
      await keepScopePage(state, run, 0, [someone("ada")]);
    }
    expect(await readLeftOut(state)).toBeUndefined();

    await closeScope(state, RUNS[1]);

    expect(await readLeftOut(state)).toMatchObject({ excluded: 2, unlicensed: 0 });
    expect([...state.blobs.keys()].join()).not.toContain(RUNS[0]);
    await closeScope(state, RUNS[2]);
    expect(await readLeftOut(state)).toMatchObject({ excluded: 3 });
    expect((await readScope(state))?.size).toBe(1);
  });
});

describe("the mailboxes of a user", () => {
  test("are those that were noted, each once, without regard to the case of the id", async () => {
    const state = memoryBlobs();
    for (const name of ["primary", "archive", "primary"]) await noteMailboxOfUser(state, "ID-of-Ada", mailboxKey(name));
    await noteMailboxOfUser(state, "id-of-bo", mailboxKey("another"));

    const keys = await mailboxesOfUser(state, "id-of-ada");

    expect(keys.toSorted()).toEqual([mailboxKey("archive"), mailboxKey("primary")].toSorted());
    expect([...state.blobs.keys()].join()).not.toMatch(/ada/i);
  });
});
