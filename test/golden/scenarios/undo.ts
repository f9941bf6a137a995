import { inTurn, type Scenario } from "../history.ts";
import { people, RESTORE } from "./people.ts";

const { ada } = people;

const order = {
  undoId: "20261122T103000Z-und567",
  restoreId: RESTORE,
  mailbox: ada,
  dryRun: false,
  ownFolder: true,
  chunks: 4,
  laneBudgetMs: 60_000,
};

const among = { ...order, ownFolder: false };

const waved = (left: readonly object[], overrides: object = {}) => ({
  left,
  examined: 500,
  deleted: 480,
  isProgress: true,
  spent: [{ at: 1_763_773_200, bytes: 0, requests: 980 }],
  elapsedMs: 10_000,
  throttled: 0,
  waitMs: 0,
  ...overrides,
});

const result = { deleted: 1, changed: 2, alreadyGone: 3, replaced: 4, ambiguous: 5, notPermitted: 6, refused: 7 };

const BUSY = { job: "restore-20261122T093000Z-abc777", ahead: 1, seconds: 90 };

/** Every activity of an undo, each as it answers when all is well. */
const well = () => ({
  "read-wish": () => ({ wish: "go-on" }),
  "hold-target": () => ({}),
  "share-slots": ({ wanted }: { wanted: number }) => ({ granted: wanted }),
  "remove-restored-folder": () => ({ survey: 0, outcome: "removed" }),
  "undo-wave": inTurn(waved([{ from: 2, to: 4 }]), waved([])),
  "report-undo": () => result,
});

const undoRestore: Record<string, Scenario> = {
  "a folder that is removed": { input: order, activities: well() },
  "a dry run": { input: { ...order, dryRun: true }, activities: well() },
  "a busy mailbox": {
    input: order,
    activities: { ...well(), "hold-target": () => ({ waitsFor: BUSY }) },
  },
  "a folder that is surveyed twice and kept, and then an outage": {
    input: order,
    activities: {
      ...well(),
      "remove-restored-folder": inTurn<unknown>({ survey: 0 }, { survey: 1 }, { survey: 1, outcome: "kept" }),
      "undo-wave": inTurn(
        waved([{ from: 1, to: 4 }], { throttled: 2, waitMs: 5_000 }),
        waved([{ from: 2, to: 4 }], { away: true, waitMs: 60_000 }),
      ),
    },
  },
  "a wave without its mailbox": {
    input: among,
    activities: {
      ...well(),
      "undo-wave": () => waved([{ from: 0, to: 4 }], { notHeld: true, examined: 0, deleted: 0, isProgress: false }),
    },
  },
  "a wave that is told to stop": {
    input: among,
    activities: { ...well(), "undo-wave": () => waved([{ from: 1, to: 4 }], { told: true }) },
  },
  "one that is paused": { input: among, activities: { ...well(), "read-wish": () => ({ wish: "pause" }) } },
  "one that is cancelled, and cannot report at once": {
    input: among,
    activities: { ...well(), "read-wish": () => ({ wish: "cancel" }), "report-undo": () => ({ awayMs: 0 }) },
  },
  "a generation whose twenty waves do not suffice": {
    input: among,
    activities: { ...well(), "undo-wave": () => waved([{ from: 3, to: 4 }], { examined: 1, deleted: 1 }) },
  },
  "a resumed generation after a folder that was kept": {
    input: {
      ...order,
      resume: {
        ...{ survey: 2, folder: "kept", pending: [{ from: 3, to: 4 }], lanes: 2 },
        ...{ spent: [], totals: { examined: 1_500, deleted: 1_400, throttled: 3 } },
      },
    },
    activities: { ...well(), "undo-wave": () => waved([]) },
  },
};

export const undo = { "undo-restore": undoRestore };
