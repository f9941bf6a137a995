import { failing, inTurn, type Scenario } from "../history.ts";
import { people, RUN, SNAPSHOT } from "./people.ts";

const { ada, adaArchive, bo } = people;
const sent = () => ({ outcome: "sent" });

const verified = { mailboxes: 1, snapshots: 1, packs: 3, items: 50, bytes: 500, problems: 0 };
const retained = {
  outcome: "done",
  kept: 7,
  going: 2,
  compacted: 1,
  waiting: 4,
  removed: 3,
  removedBytes: 30,
  refused: 0,
};

const followUpSnapshot: Record<string, Scenario> = {
  "all is well, and removing takes two rounds": {
    input: { mailboxKey: ada.key, snapshotId: SNAPSHOT },
    activities: {
      "compact-mailbox": () => ({ outcome: "compacted", snapshotId: SNAPSHOT, records: 9 }),
      "retain-mailbox": inTurn<unknown>({ ...retained, outcome: "more" }, retained),
    },
    orchestrators: { "verify-vault": () => verified },
  },
  "a snapshot that is damaged": {
    input: { mailboxKey: ada.key, snapshotId: SNAPSHOT },
    activities: { "compact-mailbox": () => ({ outcome: "not-due", records: 0 }), notify: sent },
    orchestrators: { "verify-vault": () => ({ ...verified, problems: 2 }) },
  },
  "a verification that fails": {
    input: { mailboxKey: ada.key, snapshotId: SNAPSHOT },
    activities: { "compact-mailbox": failing("the storage is down"), notify: sent },
    orchestrators: { "verify-vault": failing("the storage is down") },
  },
};

const place = { mailbox: ada.key, at: { snapshot: SNAPSHOT, part: 1, pack: 2 } };

const verifyVault: Record<string, Scenario> = {
  "one snapshot, in two waves": {
    input: { scope: { mailbox: ada.key, snapshot: SNAPSHOT } },
    activities: {
      "verify-wave": inTurn<unknown>({ ...verified, mailboxes: 0, next: place }, { ...verified, problems: 2 }),
      "remove-waves": () => ({ removed: 2 }),
    },
  },
  "a resumed generation of a day's share": {
    input: { scope: { share: 3, of: 30 }, resume: { run: RUN, wave: 20, position: place, totals: verified } },
    activities: { "verify-wave": () => verified, "remove-waves": failing("the storage is down") },
  },
  "a generation whose twenty waves do not suffice": {
    input: { scope: { mailbox: ada.key } },
    activities: { "verify-wave": () => ({ ...verified, next: place }) },
  },
};

const cleanMailbox: Record<string, Scenario> = {
  "a resumed generation, which ends": {
    input: {
      mailboxKey: ada.key,
      before: { compacted: 1, waiting: 9, removed: 100, removedBytes: 1_000, refused: 2 },
    },
    activities: { "retain-mailbox": inTurn<unknown>({ ...retained, outcome: "more" }, retained) },
  },
  "a first generation whose twenty calls do not suffice": {
    input: { mailboxKey: ada.key },
    activities: { "retain-mailbox": () => ({ ...retained, outcome: "more" }) },
  },
};

const { outcome: _, ...counts } = retained;
const cleaned = { ...counts, mailboxes: 4, held: 1, damaged: 1, failed: 0 };

const cleanVault: Record<string, Scenario> = {
  "a first generation, which ends": {
    input: {},
    activities: {
      "retain-mailboxes": inTurn<unknown>(
        { ...cleaned, after: ada.key, finished: false },
        { ...cleaned, finished: true },
      ),
    },
  },
  "a resumed generation whose twenty calls do not suffice": {
    input: { after: bo.key, before: cleaned },
    activities: { "retain-mailboxes": () => ({ ...cleaned, after: ada.key, finished: false }) },
  },
};

const tidied = { forgotten: 1, removed: 20, renewed: 3, failed: 0 };
const [folder, next] = [`restore-${RUN}`, `translate-${RUN}`];

const tidyWork: Record<string, Scenario> = {
  "a first generation, which ends": {
    input: {},
    activities: {
      "tidy-scratch": inTurn<unknown>({ ...tidied, after: folder, finished: false }, { ...tidied, finished: true }),
    },
  },
  "a resumed generation whose twenty calls do not suffice": {
    input: { after: folder, before: tidied },
    activities: { "tidy-scratch": () => ({ ...tidied, after: next, finished: false }) },
  },
};

const protectLeaver: Record<string, Scenario> = {
  "two mailboxes, of which one is being backed up": {
    input: { mailboxes: [ada, adaArchive] },
    activities: {
      "hold-leaver": inTurn<unknown>({ until: "2027-11-22T01:00:00.000Z" }, {}),
      "start-last-backup": inTurn({ outcome: "busy" }, { outcome: "started" }),
    },
  },
  "a hold that cannot be set": {
    input: { mailboxes: [ada] },
    activities: { "hold-leaver": failing("the storage is down") },
  },
};

const rehearsed = { items: 20, same: 20, different: 0, missing: 0, extra: 0, damagedMailboxes: 0, proved: true };
const opened = { mailbox: bo, items: 20, snapshotId: SNAPSHOT };

const runRehearsal: Record<string, Scenario> = {
  "a proof": {
    input: { date: "2026-11-22" },
    activities: { "open-rehearsal": () => opened, "close-rehearsal": () => rehearsed },
    orchestrators: { "restore-mailbox": () => null },
  },
  "a restore that fails": {
    input: { date: "2026-11-22" },
    activities: {
      "open-rehearsal": () => opened,
      "close-rehearsal": () => ({ ...rehearsed, same: 0, missing: 20, proved: false }),
      notify: sent,
    },
    orchestrators: { "restore-mailbox": failing("Graph answered 403") },
  },
  "nothing to restore": {
    input: { date: "2026-11-22" },
    activities: {
      "open-rehearsal": () => ({ mailbox: bo, items: 0 }),
      "close-rehearsal": () => ({ ...rehearsed, items: 0, same: 0, proved: false }),
      notify: sent,
    },
  },
  "one that breaks off": {
    input: { date: "2026-11-22" },
    activities: { "open-rehearsal": failing("Graph answered 403"), notify: failing("the storage is down") },
  },
};

/** What looks after a vault by itself. */
export const care = {
  "follow-up-snapshot": followUpSnapshot,
  "verify-vault": verifyVault,
  "clean-mailbox": cleanMailbox,
  "clean-vault": cleanVault,
  "tidy-work": tidyWork,
  "protect-leaver": protectLeaver,
  "run-rehearsal": runRehearsal,
};
