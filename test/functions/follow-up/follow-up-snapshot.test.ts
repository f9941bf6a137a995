import { describe, expect, test } from "vitest";
import { followUpSnapshot } from "../../../functions/follow-up/follow-up-snapshot.orchestrator.ts";
import type { Notice } from "../../../functions/notify/notify.contract.ts";
import type { VerifyTotals } from "../../../functions/verify/verify.contract.ts";
import { aKey, aSnapshot } from "../../shared/vault/samples.ts";
import { runToEnd } from "../../support/run-orchestrator.ts";

const sound: VerifyTotals = { mailboxes: 1, snapshots: 1, packs: 3, items: 50, bytes: 500, problems: 0 };
const removed = { kept: 1, going: 0, compacted: 0, waiting: 0, removed: 0, removedBytes: 0, refused: 0 };

const fails = () => {
  throw new Error("the storage is down");
};

const follow = async ({
  verify = () => sound,
  compact = () => ({ outcome: "not-due", records: 0 }),
  retain = () => ({ ...removed, outcome: "done" }),
}: {
  verify?: () => unknown;
  compact?: () => unknown;
  retain?: () => unknown;
} = {}) => {
  const notices: Notice[] = [];
  const run = await runToEnd(followUpSnapshot, {
    input: { mailboxKey: aKey, snapshotId: aSnapshot },
    retries: false,
    activities: {
      "verify-wave": verify,
      "remove-waves": () => ({ removed: 0 }),
      "compact-mailbox": compact,
      "retain-mailbox": retain,
      notify: (notice: Notice) => {
        notices.push(notice);
        return { outcome: "sent" };
      },
    },
  });
  return { ...run, notices, names: run.calls.map(({ name }) => name) };
};

describe("follow-up-snapshot", () => {
  test("verifies the snapshot, compacts and removes, in that order, and is silent when all is well", async () => {
    const { calls, names, output, customStatuses } = await follow();

    expect(names).toEqual(["verify-wave", "remove-waves", "compact-mailbox", "retain-mailbox"]);
    expect(calls[0]).toMatchObject({ input: { scope: { mailbox: aKey, snapshot: aSnapshot }, wave: 0 } });
    expect(output).toEqual({ verify: "sound", compact: "not-due", retain: "done" });
    expect(customStatuses.at(-1)).toEqual(output);
  });

  test("verifies in as many waves as it takes", async () => {
    let waves = 0;
    const { calls, output } = await follow({
      verify: () => {
        waves += 1;
        return { ...sound, problems: 0, ...(waves < 30 && { next: { mailbox: aKey } }) };
      },
    });

    expect(calls.filter(({ name }) => name === "verify-wave").map(({ input }) => input)).toMatchObject(
      Array.from({ length: 30 }, (_, wave) => ({ wave })),
    );
    expect(output).toMatchObject({ verify: "sound", retain: "done" });
  });

  test.each([
    ["verifying", { verify: fails }, { verify: "failed", compact: "not-due", retain: "withheld" }],
    ["compacting", { compact: fails }, { verify: "sound", compact: "failed", retain: "done" }],
    ["removing", { retain: fails }, { verify: "sound", compact: "not-due", retain: "failed" }],
  ])("goes on when %s fails, reports it, and notifies people", async (_, steps, result) => {
    const { output, notices } = await follow(steps);

    expect(output).toEqual(result);
    expect(notices).toMatchObject([{ id: `follow-up-${aKey}-${aSnapshot}`, isProblem: true }]);
  });

  test("removes nothing after a snapshot that is damaged, and notifies people", async () => {
    const { names, output, notices } = await follow({ verify: () => ({ ...sound, problems: 2 }) });

    expect(names).not.toContain("retain-mailbox");
    expect(output).toMatchObject({ verify: "damaged", retain: "withheld" });
    expect(notices).toMatchObject([{ title: "A new snapshot is damaged" }]);
  });

  test("calls retention again when its time was up, but not without end", async () => {
    let rounds = 0;
    const some = await follow({
      retain: () => {
        rounds += 1;
        return { ...removed, outcome: rounds < 3 ? "more" : "done" };
      },
    });
    const endless = await follow({ retain: () => ({ ...removed, outcome: "more" }) });

    expect(some.output).toMatchObject({ retain: "done" });
    expect(endless.names.filter((name) => name === "retain-mailbox")).toHaveLength(20);
    expect(endless.output).toMatchObject({ retain: "more" });
  });
});
