import { InvocationContext, type Timer } from "@azure/functions";
import { describe, expect, test } from "vitest";
import { getVerification } from "../../../functions/verify/get-verification.http.ts";
import { removeWavesActivity } from "../../../functions/verify/remove-waves.activity.ts";
import { rotatingVerify } from "../../../functions/verify/rotating-verify.timer.ts";
import { startVerify } from "../../../functions/verify/start-verify.http.ts";
import { noteVerified, readVerification } from "../../../functions/verify/verification-state.ts";
import {
  removeWaves,
  type VerifyPosition,
  type VerifyScope,
  VerifyVaultInput,
  verifyWave,
} from "../../../functions/verify/verify.contract.ts";
import { verifyVault } from "../../../functions/verify/verify-vault.orchestrator.ts";
import { verifyWaveActivity } from "../../../functions/verify/verify-wave.activity.ts";
import { headName, packName } from "../../../shared/vault/names.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aSoundVault, type SoundVault, soundKey } from "../../shared/vault/a-sound-vault.ts";
import { snapshotAt } from "../../shared/vault/samples.ts";
import { runOrchestrator } from "../../support/run-orchestrator.ts";
import { noGraph } from "../browse/a-vault.ts";
import { aFakeHub, ask, PROBLEM } from "../fake-hub.ts";
import { aRun, deliver } from "../kit.ts";

const otherRun = "20261123T010000Z-abc234";
const pack = packName(soundKey, snapshotAt(0), 0, 0);

const flip = (vault: SoundVault, name: string, at = 40): void => {
  const { body } = vault.blobs.get(name) ?? expect.fail(`no ${name}`);
  body[at] = (body[at] ?? 0) ^ 1;
};

const aVerification = async ({ budgetMs = 600_000, vault: given }: { budgetMs?: number; vault?: SoundVault } = {}) => {
  const vault = given ?? (await aSoundVault());
  const deps = { vault, work: memoryBlobs(), state: memoryBlobs(), budgetMs };
  const handler = verifyWaveActivity(deps);
  const known = () => readVerification(deps.state, soundKey);
  /** One verification: waves until nothing is left. */
  const verify = async (scope: VerifyScope = { mailbox: soundKey }, run = aRun) => {
    const results = [];
    for (let position: VerifyPosition | undefined, wave = 0; wave === 0 || position !== undefined; wave += 1) {
      const result = await deliver(handler, verifyWave, { run, wave, scope, position });
      results.push(result);
      position = result.next;
    }
    return results;
  };
  return { ...deps, handler, known, verify };
};

describe("verify-wave", () => {
  test("verifies a whole mailbox, and records that it is sound", async () => {
    const { verify, known } = await aVerification();
    const [result, ...more] = await verify();

    expect(more).toEqual([]);
    expect(result).toMatchObject({ mailboxes: 1, snapshots: 3, packs: 5, items: 7, problems: 0 });
    expect(await known()).toMatchObject({
      last: { run: aRun, scope: { mailbox: soundKey }, done: true, packs: 5, problems: 0 },
      whole: expect.any(String),
      damaged: [],
      findings: [],
    });
  });

  test("goes on where it stopped, and counts everything once", async () => {
    const inOne = await aVerification();
    const inMany = await aVerification({ budgetMs: 0, vault: inOne.vault });
    const [whole] = await inOne.verify();
    const waves = await inMany.verify();

    expect(waves.map(({ next }) => next?.at?.snapshot)).toEqual([...[0, 0, 0, 1, 1, 1, 2].map(snapshotAt), undefined]);
    const sum = (key: "mailboxes" | "snapshots" | "packs" | "items" | "bytes") =>
      waves.reduce((total, result) => total + result[key], 0);
    for (const key of ["mailboxes", "snapshots", "packs", "items", "bytes"] as const)
      expect(sum(key)).toBe(whole?.[key]);
    expect((await inMany.known())?.last).toMatchObject({ done: true, snapshots: 3, packs: 5, items: 7 });
  });

  test("returns counts only: findings are in the mailbox's state, each with its snapshot", async () => {
    const { vault, verify, known } = await aVerification();
    flip(vault, pack);
    flip(vault, headName(soundKey));
    const [result] = await verify();

    expect(result).toMatchObject({ problems: 2 });
    expect(JSON.stringify(result)).not.toContain("packs/");
    expect(await known()).toMatchObject({
      damaged: [
        { piece: "head", run: aRun, problems: 1 },
        { piece: snapshotAt(0), run: aRun, problems: 1 },
      ],
      findings: [
        { piece: "head", blob: headName(soundKey) },
        { piece: snapshotAt(0), blob: pack },
      ],
    });
  });

  test("delivered twice, returns the same counts and changes nothing, also when the vault has changed", async () => {
    const { vault, handler, verify, state } = await aVerification();
    flip(vault, pack);
    const [result] = await verify();
    const before = [...state.blobs.values()].map(({ body }) => body.toString());
    flip(vault, pack);

    const again = await deliver(handler, verifyWave, { run: aRun, wave: 0, scope: { mailbox: soundKey } });
    expect(again).toEqual(result);
    expect([...state.blobs.values()].map(({ body }) => body.toString())).toEqual(before);
  });

  test("delivered again after a crash before the state was written, writes it", async () => {
    const { vault, verify, known, state, handler } = await aVerification();
    flip(vault, pack);
    await verify();
    for (const name of [...state.blobs.keys()]) state.blobs.delete(name);
    await deliver(handler, verifyWave, { run: aRun, wave: 0, scope: { mailbox: soundKey } });

    expect(await known()).toMatchObject({ last: { problems: 1 }, damaged: [{ problems: 1 }] });
  });

  test("forgets damage only when the piece is verified again, and is sound", async () => {
    const { vault, verify, known } = await aVerification();
    flip(vault, pack);
    await verify();
    flip(vault, pack);

    await verify({ mailbox: soundKey, snapshot: snapshotAt(1) }, otherRun);
    expect(await known()).toMatchObject({ last: { run: otherRun, snapshots: 1 }, damaged: [{ piece: snapshotAt(0) }] });
    await verify({ mailbox: soundKey, snapshot: snapshotAt(0) }, "20261124T010000Z-abc234");
    expect(await known()).toMatchObject({ damaged: [], findings: [] });
  });

  test("forgets damage of a removed snapshot when the whole mailbox is verified", async () => {
    const { verify, known, state } = await aVerification();
    const piece = "20250101T010000Z-abc234";
    const scope = { mailbox: soundKey };
    const lost = { piece, done: true, problems: 1, findings: [{ blob: "any", problem: "is missing" }] };
    const nothing = { snapshots: 1, packs: 0, items: 0, bytes: 0 };
    const found = { ...nothing, mailbox: soundKey, done: true, problems: 1, pieces: [lost] };
    await noteVerified(state, found, { run: otherRun, wave: 0, at: "2026-11-21T01:00:00Z", scope });

    for (const share of [0, 1]) await verify({ share, of: 2 }, `2026112${share}T010000Z-abc234`);
    expect(await known()).toMatchObject({ damaged: [{ piece }], findings: [{ piece }] });
    await verify(scope);
    expect(await known()).toMatchObject({ damaged: [], findings: [] });
  });

  test.each([1, 2, 30])("verifies every snapshot once in %i days, and the head each day", async (days) => {
    const { verify, known } = await aVerification();
    let snapshots = 0;
    for (let share = 0; share < days; share += 1) {
      const run = `202611${String(share + 1).padStart(2, "0")}T010000Z-abc234`;
      const results = await verify({ share, of: days }, run);
      snapshots += results.reduce((sum, result) => sum + result.snapshots, 0);
      expect((await known())?.last).toMatchObject({ run, done: true, scope: { share, of: days } });
    }

    expect(snapshots).toBe(3);
    expect(await known()).not.toHaveProperty("whole");
  });

  test("fails when the vault cannot be read, and calls nothing damaged", async () => {
    const { vault, work, state } = await aVerification();
    const unreachable = { ...vault, read: () => Promise.reject(new Error("connection refused")) };
    const handler = verifyWaveActivity({ vault: unreachable, work, state, budgetMs: 600_000 });
    const verifying = deliver(handler, verifyWave, { run: aRun, wave: 0, scope: { mailbox: soundKey } });

    await expect(verifying).rejects.toThrow("connection refused");
    expect([...work.blobs, ...state.blobs]).toEqual([]);
  });
});

describe("remove-waves", () => {
  test.each<VerifyScope>([{ mailbox: soundKey }, { share: 0, of: 1 }])(
    "removes what a verification kept, and nothing of another one: %j",
    async (scope) => {
      const { verify, work } = await aVerification({ budgetMs: 0 });
      const waves = (await verify(scope)).length;
      await verify(scope, otherRun);
      const remove = () => deliver(removeWavesActivity({ work }), removeWaves, { run: aRun, waves, scope });

      expect([await remove(), await remove()]).toEqual([{ removed: waves }, { removed: 0 }]);
      expect(work.blobs.size).toBe(waves);
      expect([...work.blobs.keys()].every((name) => name.includes(otherRun))).toBe(true);
    },
  );
});

describe("verify-vault", () => {
  const looked = { mailboxes: 0, snapshots: 1, packs: 4, items: 80, bytes: 1_000, problems: 1 };
  const next = { mailbox: soundKey, at: { snapshot: snapshotAt(0), part: 1, pack: 4 } };
  const run = (input: unknown, waves: number, forget: () => unknown = () => ({ removed: waves })) => {
    let done = 0;
    return runOrchestrator(verifyVault, {
      input,
      activities: {
        "verify-wave": () => {
          done += 1;
          return done === waves ? { ...looked, mailboxes: 1 } : { ...looked, next };
        },
        "remove-waves": forget,
      },
    });
  };

  test("runs waves until everything is verified: the history that runs in flight rely on", async () => {
    const { calls, output } = await run({ scope: { mailbox: soundKey } }, 2);

    expect(calls).toEqual([
      { name: "verify-wave", input: { run: expect.any(String), wave: 0, scope: { mailbox: soundKey } } },
      {
        name: "verify-wave",
        input: { run: expect.any(String), wave: 1, scope: { mailbox: soundKey }, position: next },
      },
      { name: "remove-waves", input: { run: expect.any(String), waves: 2, scope: { mailbox: soundKey } } },
    ]);
    expect(output).toEqual({ mailboxes: 1, snapshots: 2, packs: 8, items: 160, bytes: 2_000, problems: 2 });
  });

  test("has its result also where its scratch data cannot be removed", async () => {
    const broken = () => {
      throw new Error("the storage is down");
    };

    expect((await run({ scope: { mailbox: soundKey } }, 1, broken)).output).toMatchObject({ snapshots: 1 });
  });

  test("goes on in a new generation after twenty waves, as the same verification", async () => {
    const first = await run({ scope: { share: 3, of: 30 } }, 25);
    const resumed = VerifyVaultInput.parse(first.continuedAs);
    const { calls, output } = await run(first.continuedAs, 5);

    expect(resumed).toMatchObject({ scope: { share: 3, of: 30 }, resume: { wave: 20, position: next } });
    expect(calls[0]?.input).toMatchObject({ run: resumed.resume?.run, wave: 20, position: next });
    expect(output).toMatchObject({ snapshots: 25, problems: 25 });
  });
});

describe("POST /api/mailboxes/{mailbox}/verify", () => {
  const start = async (name: string, instances: Parameters<typeof aFakeHub>[0] = {}, body: unknown = {}) => {
    const vault = await aSoundVault();
    flip(vault, headName(soundKey));
    const hub = aFakeHub(instances);
    const handler = startVerify({ clientOf: hub.clientOf, openGraph: noGraph, vault });
    return { ...(await ask(handler, { method: "POST", params: { mailbox: name }, body })), started: hub.started };
  };

  test("starts a verification, also of a mailbox with a damaged head", async () => {
    const { status, headers, started } = await start(soundKey);
    const job = `verify-${soundKey}`;

    expect(status).toBe(202);
    expect(headers["location"]).toBe(`/api/jobs/${job}`);
    expect(started).toEqual([{ name: "verify-vault", instanceId: job, input: { scope: { mailbox: soundKey } } }]);
  });

  test.each<[string, number, Parameters<typeof aFakeHub>[0], unknown]>([
    ["a".repeat(26), 404, {}, {}],
    [soundKey, 409, { [`verify-${soundKey}`]: { runtimeStatus: "Running" } }, {}],
    [soundKey, 400, {}, { days: 3 }],
    [soundKey, 400, {}, "{"],
  ])("starts nothing for %s and answers %i", async (mailbox, expected, instances, body) => {
    const { status, headers, started } = await start(mailbox, instances, body);

    expect(status).toBe(expected);
    expect(headers).toEqual(PROBLEM);
    expect(started).toEqual([]);
  });
});

describe("GET /api/mailboxes/{mailbox}/verification", () => {
  const get = (deps: Awaited<ReturnType<typeof aVerification>>, mailbox = soundKey) =>
    ask(getVerification({ ...deps, openGraph: noGraph }), { params: { mailbox } });

  test("shows what is damaged, where, and when that was found", async () => {
    const kit = await aVerification();
    flip(kit.vault, pack);
    await kit.verify();
    const { status, body } = await get(kit);

    expect(status).toBe(200);
    expect(body).toEqual({
      mailbox: soundKey,
      last: expect.objectContaining({ run: aRun, done: true, problems: 1 }),
      whole: expect.any(String),
      problems: 1,
      damaged: [{ piece: snapshotAt(0), run: aRun, at: expect.any(String), problems: 1 }],
      findings: [
        { piece: snapshotAt(0), run: aRun, blob: pack, item: "item 0/0/0", problem: expect.stringMatching(/stream/) },
      ],
    });
  });

  test.each([
    [soundKey, "not-verified"],
    ["a".repeat(26), "mailbox-not-found"],
  ])("answers 404 for %s: %s", async (mailbox, kind) => {
    const { status, headers, body } = await get(await aVerification(), mailbox);

    expect(status).toBe(404);
    expect(headers).toEqual(PROBLEM);
    expect(body).toMatchObject({ type: `/problems/${kind}` });
  });
});

describe("rotating-verify", () => {
  const tick = async (hub: ReturnType<typeof aFakeHub>, now: string) => {
    const handler = rotatingVerify({ clientOf: hub.clientOf, days: 30, now: () => new Date(now) });
    await handler({} as Timer, new InvocationContext({ logHandler: () => undefined }));
  };

  test("starts each day with the next share", async () => {
    const hub = aFakeHub();
    for (const day of ["2026-11-22", "2026-11-23", "2026-12-22"]) await tick(hub, `${day}T13:00:00Z`);
    const shares = hub.started.map(({ input }) => Object(Object(input)["scope"])["share"]);

    expect(hub.started.map(({ instanceId }) => instanceId)).toEqual([
      "verify-share-2026-11-22",
      "verify-share-2026-11-23",
      "verify-share-2026-12-22",
    ]);
    expect(shares).toEqual([shares[0], (shares[0] + 1) % 30, shares[0]]);
  });

  test.each(["Running", "Completed", "Failed"])("starts nothing when the day's one is %s", async (runtimeStatus) => {
    const hub = aFakeHub({ "verify-share-2026-11-22": { runtimeStatus } });
    await tick(hub, "2026-11-22T23:59:59Z");

    expect(hub.started).toEqual([]);
  });
});
