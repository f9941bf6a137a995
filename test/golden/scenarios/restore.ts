import { NO_ITEMS } from "../../../functions/restore/restored-items.steps.ts";
import { failing, inTurn, type Scenario } from "../history.ts";
import { people, RESTORE, SNAPSHOT } from "./people.ts";

const { ada, bo } = people;

const order = {
  restoreId: RESTORE,
  mailbox: ada,
  snapshotId: SNAPSHOT,
  select: { kept: true },
  target: "new-folder",
  onConflict: "skip",
  dryRun: false,
};

const plan = {
  items: 400,
  present: 3,
  replaced: 1,
  bytes: 4_000,
  chunks: 8,
  folders: 2,
  foldersToCreate: 2,
  requests: 420,
  expectedSeconds: 60,
  secondsPerRequest: 0.5,
  boundBy: "slots",
  laneBudgetMs: 60_000,
};

const result = { imported: 390, replaced: 1, present: 3, ambiguous: 2, failed: 3, missing: 4, bytes: 3_900 };

const uploaded = (left: readonly object[], overrides: object = {}) => ({
  left,
  imported: 200,
  replaced: 1,
  ambiguous: 1,
  failed: 1,
  bytes: 2_000,
  sessionEnded: false,
  spent: [{ at: 1_763_773_200, bytes: 2_000, requests: 203 }],
  elapsedMs: 10_000,
  throttled: 0,
  waitMs: 0,
  ...overrides,
});

/** Every activity of a restore, each as it answers when all is well. */
const well = () => ({
  "read-wish": () => ({ wish: "go-on" }),
  "share-slots": ({ wanted }: { wanted: number }) => ({ granted: wanted }),
  "plan-restore": () => plan,
  "ensure-folders": () => ({ created: 2 }),
  "create-import-session": inTurn(
    { sealed: "the first session", expires: "2026-11-22T02:00:00.000Z" },
    { sealed: "the second session", expires: "2026-11-22T03:00:00.000Z" },
  ),
  "upload-wave": inTurn(uploaded([{ from: 4, to: 8 }]), uploaded([])),
  "reconcile-restore": () => result,
});

const resume = {
  plan,
  pending: [
    { from: 2, to: 3 },
    { from: 5, to: 8 },
  ],
  lanes: 4,
  spent: [{ at: 1_763_773_200, bytes: 2_000, requests: 203 }],
  totals: { imported: 200, replaced: 1, ambiguous: 1, failed: 1, bytes: 2_000, throttled: 0 },
};

const BUSY = { job: "restore-20261122T093000Z-abc777", ahead: 1, seconds: 90 };

const restoreMailbox: Record<string, Scenario> = {
  "a first generation, which ends": { input: order, activities: well() },
  "a dry run": { input: { ...order, dryRun: true }, activities: well() },
  "a plan in steps, the second of which meets an outage after it did something": {
    input: order,
    activities: {
      ...well(),
      "plan-restore": inTurn<unknown>({ unfinished: true }, { awayMs: 60_000 }),
    },
  },
  "a step of planning that has lost its slots": {
    input: { ...order, exclusive: true },
    activities: { ...well(), "hold-target": () => ({}), "plan-restore": () => ({ unfinished: true, notHeld: true }) },
  },
  "a generation whose twenty steps of planning do not suffice": {
    input: order,
    activities: { ...well(), "plan-restore": () => ({ unfinished: true }) },
  },
  "a comparison in steps, the second of which is told to pause": {
    input: { ...order, resume: { ...resume, pending: [] } },
    activities: { ...well(), "reconcile-restore": inTurn<unknown>({ unfinished: true }, { told: true }) },
  },
  "a mailbox that passes to another restore during a wave": {
    input: { ...order, exclusive: true },
    activities: {
      ...well(),
      "hold-target": () => ({}),
      "upload-wave": () => uploaded([{ from: 0, to: 8 }], { notHeld: true }),
    },
  },
  "a mailbox that another restore has, a second time": {
    input: {
      ...{ ...order, exclusive: true },
      wait: { for: "mailbox", since: "2026-11-22T09:29:00.000Z", times: 1 },
    },
    activities: { ...well(), "hold-target": () => ({ waitsFor: BUSY }) },
  },
  "no slot, of a restore of a list, until it is woken": {
    input: { ...order, partOf: "restores-20261122T090000Z-abc234", priority: "high", holder: "a holder", resume },
    activities: { ...well(), "share-slots": () => ({ granted: 0 }) },
    events: [{ name: "wake", afterMs: 400 }],
  },
  "a resumed generation of a reviewed plan into another mailbox: fewer slots, a session that ends, a long wait": {
    input: {
      ...{ ...order, into: bo, planOf: "20261122T083000Z-abc234", onConflict: "replace" },
      ...{ resume, holder: "a holder" },
    },
    activities: {
      ...well(),
      "share-slots": inTurn<unknown>({ granted: 3 }, { granted: 2 }, { granted: 1 }, { granted: 0 }),
      "upload-wave": inTurn(
        uploaded([{ from: 5, to: 8 }], { throttled: 2, waitMs: 3_000, sessionEnded: true }),
        uploaded([{ from: 7, to: 8 }], { waitMs: 300_000 }),
      ),
    },
  },
  "Graph is away, and nothing was settled": {
    input: { ...order, resume, holder: "a holder" },
    activities: {
      ...well(),
      "upload-wave": () => uploaded(resume.pending, { imported: 0, replaced: 0, ambiguous: 0, failed: 0, away: true }),
    },
  },
  "a wave that is told to stop": {
    input: { ...order, resume, holder: "a holder" },
    activities: { ...well(), "upload-wave": () => uploaded([{ from: 6, to: 8 }], { told: true }) },
  },
  "one that is paused": {
    input: { ...order, resume, holder: "a holder" },
    activities: { ...well(), "read-wish": () => ({ wish: "pause" }) },
  },
  "one that is cancelled": {
    input: { ...order, exclusive: true, resume, holder: "a holder" },
    activities: { ...well(), "read-wish": () => ({ wish: "cancel" }) },
  },
  "a wave that fails, which the next generation reports": {
    input: { ...order, resume, holder: "a holder" },
    activities: { ...well(), "upload-wave": failing("the vault is gone") },
  },
  "the report of a wave that failed": {
    input: { ...order, resume, holder: "a holder", stopped: { reason: "failed", detail: "the vault is gone" } },
    activities: well(),
  },
  "a generation whose twenty waves do not suffice": {
    input: order,
    activities: { ...well(), "upload-wave": () => uploaded([{ from: 7, to: 8 }], { imported: 1, bytes: 1 }) },
  },
  "a plan of nothing, and then a comparison that fails": {
    input: { ...order, target: "original" },
    activities: {
      ...well(),
      "plan-restore": () => ({ ...plan, items: 0, chunks: 0 }),
      "reconcile-restore": failing("Graph answered 403"),
    },
  },
};

const LIST = "20261122T090000Z-abc234";
const NO_OUTCOMES = { complete: 0, partial: 0, failed: 0, failures: [], items: NO_ITEMS };

const taken = (mailbox: number, restore: number, overrides: object = {}) => ({
  taken: { restore: { ...order, ...overrides }, at: { mailbox, restore } },
});

const restoreInTurn: Record<string, Scenario> = {
  "three restores: one with items missing, one that fails, one that is a dry run": {
    input: { listId: LIST, place: 2, turn: 0, outcomes: NO_OUTCOMES },
    activities: {
      "read-wish": () => ({ wish: "go-on" }),
      "take-restore": inTurn<unknown>(
        taken(4, 0),
        taken(4, 1, { restoreId: "20261122T093001Z-xyz567" }),
        taken(7, 0, { restoreId: "20261122T093002Z-xyz567", mailbox: bo, dryRun: true }),
        {},
      ),
    },
    orchestrators: {
      "restore-mailbox": ({ restoreId, dryRun }) => {
        if (dryRun) return plan;
        return restoreId === RESTORE ? result : failing("no right to this mailbox")();
      },
    },
  },
  "a resumed generation whose twenty turns do not suffice": {
    input: { listId: LIST, place: 2, turn: 20, at: { mailbox: 3, restore: 5 }, outcomes: NO_OUTCOMES },
    activities: { "read-wish": () => ({ wish: "go-on" }), "take-restore": () => taken(3, 6) },
    orchestrators: { "restore-mailbox": () => ({ ...result, failed: 0, missing: 0, ambiguous: 0 }) },
  },
};

const wishes: Record<string, Scenario> = Object.fromEntries(
  ["pause", "cancel"].map((wish) => [
    `a list that is told to ${wish}`,
    {
      input: { listId: LIST, place: 2, turn: 20, at: { mailbox: 3, restore: 5 }, outcomes: NO_OUTCOMES },
      activities: { "read-wish": () => ({ wish }) },
    },
  ]),
);

const restoreMailboxes: Record<string, Scenario> = {
  "more mailboxes than places": {
    input: { listId: LIST, restores: 9, mailboxes: 7, window: 2 },
    orchestrators: {
      "restore-in-turn": ({ place }) => ({
        ...NO_OUTCOMES,
        complete: 4 - place,
        failed: place,
        failures: [{ job: `restore-${RESTORE}`, reason: "no right" }],
        items: { ...NO_ITEMS, planned: 5, imported: 5, bytes: 50 },
      }),
    },
  },
  "a list to look up, through an outage": {
    input: { listId: LIST, restores: 60, window: 2 },
    activities: {
      "read-wish": () => ({ wish: "go-on" }),
      "resolve-restores": inTurn<unknown>({ next: 50 }, { awayMs: 90_000 }, { next: 60 }),
      "arrange-restores": () => ({ mailboxes: 7 }),
    },
  },
  "a list of which one cannot start": {
    input: { listId: LIST, restores: 60, window: 2, resolving: { next: 60 } },
    activities: {
      "read-wish": () => ({ wish: "go-on" }),
      "arrange-restores": () => ({
        refused: [{ position: 4, type: "/problems/x", title: "x", status: 404, detail: "There is no such mailbox." }],
        count: 1,
      }),
    },
  },
  "a place that fails": {
    input: { listId: LIST, restores: 1, mailboxes: 1, window: 8 },
    orchestrators: { "restore-in-turn": failing("the list is lost") },
  },
};

export const restore = {
  "restore-mailbox": restoreMailbox,
  "restore-in-turn": { ...restoreInTurn, ...wishes },
  "restore-mailboxes": restoreMailboxes,
};
