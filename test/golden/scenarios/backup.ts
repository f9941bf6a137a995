import { failing, inTurn, type Scenario } from "../history.ts";
import { people, RUN } from "./people.ts";

const { ada, bo } = people;

const granted = ({ wanted }: { wanted: number }) => ({ granted: wanted });

const waveOf = (position: object, overrides: object = {}) => ({
  position,
  planned: 500,
  removed: 1,
  expectedItems: 1_000,
  exported: 500,
  skipped: 0,
  failed: 0,
  bytes: 7_000,
  storedBytes: 3_000,
  elapsedMs: 5_000,
  throttled: 0,
  waitMs: 0,
  ...overrides,
});

const at = (chunk: number, planned: boolean, again: readonly object[] = []) => ({
  nextChunk: chunk,
  planned,
  at: { chunk, batch: 0 },
  again,
});

const committed = ({ runId }: { runId: string }) => ({
  snapshotId: runId,
  state: "complete",
  quiet: false,
  items: 1_000,
  bytes: 14_000,
});

const resume = {
  runId: RUN,
  laneBudgetMs: 100_000,
  progress: {
    wave: 20,
    lanes: 4,
    position: at(20, false),
    expectedItems: 12_000,
    itemsPerSecond: 100,
    totals: {
      planned: 10_000,
      exported: 9_990,
      skipped: 7,
      failed: 3,
      removed: 20,
      bytes: 140_000,
      storedBytes: 60_000,
      throttled: 2,
    },
  },
};

const backupMailbox: Record<string, Scenario> = {
  "a first generation, which ends": {
    input: { mailbox: ada, trigger: "schedule" },
    activities: {
      "open-run": () => ({ laneBudgetMs: 100_000 }),
      "share-slots": granted,
      "export-wave": inTurn(waveOf(at(1, false)), waveOf(at(2, true), { failed: 2, exported: 498 })),
      "commit-snapshot": committed,
      "remove-scratch": () => ({ removed: 9 }),
    },
  },
  "a run that goes on with one that died": {
    input: { mailbox: ada, trigger: "schedule" },
    activities: {
      "open-run": () => ({
        laneBudgetMs: 100_000,
        unfinished: { runId: RUN, started: "2026-11-22T00:30:00.000Z", progress: resume.progress },
      }),
      "share-slots": granted,
      "export-wave": inTurn(waveOf(at(21, true))),
      "commit-snapshot": committed,
      "remove-scratch": () => ({ removed: 9 }),
    },
  },
  "a run that has planned for a day": {
    input: { mailbox: ada, trigger: "schedule" },
    activities: {
      "open-run": () => ({ laneBudgetMs: 100_000 }),
      "share-slots": granted,
      "export-wave": inTurn(
        waveOf(at(1, false, [{ chunk: 0, batch: 3 }]), { waitMs: 90_000_000 }),
        waveOf(at(1, false)),
      ),
      "commit-snapshot": committed,
      "remove-scratch": () => ({ removed: 9 }),
    },
  },
  "a backup whose place waits no longer": {
    input: { mailbox: ada, trigger: "schedule", until: "2026-11-22T02:00:00.000Z" },
    activities: {
      "open-run": () => ({ laneBudgetMs: 100_000 }),
      "share-slots": granted,
      "export-wave": inTurn(waveOf(at(1, false), { waitMs: 3_600_000 })),
    },
  },
  "a run that meets damage in what it follows": {
    input: { mailbox: ada, trigger: "schedule" },
    activities: {
      "open-run": () => ({ laneBudgetMs: 100_000 }),
      "share-slots": granted,
      "export-wave": inTurn(waveOf(at(0, false), { damage: "a part is missing" })),
    },
  },
  "the run in its place, under an id that sorts after the snapshots that are there": {
    input: { mailbox: ada, trigger: "schedule", startOver: true, damage: "a part is missing" },
    activities: {
      "open-run": () => ({ laneBudgetMs: 100_000, runId: "20991231T235959Z-abc234" }),
      "share-slots": granted,
      "export-wave": inTurn(waveOf(at(1, true))),
      "commit-snapshot": committed,
      "remove-scratch": () => ({ removed: 9 }),
    },
  },
  "a resumed generation, which waits for a slot": {
    input: { mailbox: ada, trigger: "request", full: true, resume },
    activities: { "share-slots": () => ({ granted: 0 }) },
  },
  "a resumed generation, which waits as long as Graph asks": {
    input: { mailbox: ada, trigger: "request", full: true, resume },
    activities: {
      "share-slots": inTurn<unknown>({ granted: 4 }, { granted: 0 }),
      "export-wave": inTurn(
        waveOf(at(21, true, [{ chunk: 20, batch: 5 }]), { throttled: 1, waitMs: 900_000 }),
        waveOf(at(21, true)),
      ),
      "commit-snapshot": committed,
      "remove-scratch": () => ({ removed: 9 }),
    },
  },
  "a generation whose twenty waves do not suffice": {
    input: { mailbox: ada, trigger: "event", full: false },
    activities: {
      "open-run": () => ({ laneBudgetMs: 60_000 }),
      "share-slots": granted,
      "export-wave": ({ wave }: { wave: number }) => waveOf(at(wave + 1, false)),
    },
  },
  "a wave that fails": {
    input: { mailbox: ada, trigger: "schedule" },
    activities: {
      "open-run": () => ({ laneBudgetMs: 100_000 }),
      "share-slots": granted,
      "export-wave": failing("the vault is gone"),
    },
  },
};

const NO_OUTCOMES = { complete: 0, partial: 0, failed: 0, failures: [], items: 0, bytes: 0 };

const backedUp = (state: string) => ({
  snapshotId: RUN,
  state,
  quiet: false,
  items: 5,
  bytes: 50,
  totals: { ...resume.progress.totals, exported: 5, bytes: 50 },
});

const turn = { tenantRun: RUN, trigger: "schedule", full: false, place: 2 };

const backupInTurn: Record<string, Scenario> = {
  "two mailboxes, of which one fails, until the queue is empty": {
    input: { ...turn, turn: 0, outcomes: NO_OUTCOMES },
    activities: { "take-mailbox": inTurn<unknown>({ mailbox: ada }, { mailbox: bo }, {}) },
    orchestrators: {
      "backup-mailbox": ({ mailbox }) =>
        mailbox.userId === "bo" ? failing("no right to this mailbox")() : backedUp("partial"),
    },
  },
  "a resumed generation whose twenty turns do not suffice": {
    input: { ...turn, trigger: "request", full: true, turn: 20, outcomes: { ...NO_OUTCOMES, complete: 20, items: 90 } },
    activities: { "take-mailbox": () => ({ mailbox: ada }) },
    orchestrators: { "backup-mailbox": () => backedUp("complete") },
  },
  "a mailbox that is not done in time": {
    input: { ...turn, turn: 0, outcomes: NO_OUTCOMES, until: "2026-11-22T01:00:01.000Z" },
    activities: { "take-mailbox": () => ({ mailbox: ada }), "go-on-alone": () => ({}) },
    orchestrators: {
      "backup-mailbox": () => ({
        goesOn: { mailbox: ada, trigger: "schedule", full: false, resume },
        totals: resume.progress.totals,
      }),
    },
  },
  "an empty queue": {
    input: { ...turn, turn: 0, outcomes: NO_OUTCOMES },
    activities: { "take-mailbox": () => ({}) },
  },
};

const page = { mailboxes: 40, withoutMailbox: 2, excluded: 1, busy: 1 };
const sent = () => ({ outcome: "sent" });

const backupTenant: Record<string, Scenario> = {
  "two pages of mailboxes, and a window of two": {
    input: { trigger: "schedule", full: false, window: 2 },
    activities: {
      "discover-mailboxes": inTurn<unknown>(
        { ...page, next: "the second page" },
        { ...page, mailboxes: 3, unlicensed: 1, leftOut: [{ reason: "unlicensed", user: "bo" }] },
      ),
      notify: sent,
    },
    orchestrators: {
      "backup-in-turn": ({ place }) => ({ ...NO_OUTCOMES, complete: 20 + place, partial: place, items: 9, bytes: 90 }),
    },
  },
  "users by name, none of whom has a mailbox": {
    input: { trigger: "request", full: true, only: ["ada", "bo"], window: 8 },
    activities: {
      "discover-mailboxes": () => ({ ...page, mailboxes: 0, unknown: 1, leftOut: [{ reason: "unknown", entry: 2 }] }),
      notify: failing("the storage is down"),
    },
  },
  "a place that fails": {
    input: { trigger: "schedule", window: 8 },
    activities: { "discover-mailboxes": () => ({ ...page, mailboxes: 1 }), notify: sent },
    orchestrators: { "backup-in-turn": failing("the queue is lost") },
  },
};

export const backup = {
  "backup-mailbox": backupMailbox,
  "backup-in-turn": backupInTurn,
  "backup-tenant": backupTenant,
};
