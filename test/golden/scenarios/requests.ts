import { inTurn, type Scenario } from "../history.ts";
import { people, RESTORE, RUN } from "./people.ts";

const { ada, adaArchive } = people;

const request = {
  exportId: RUN,
  userId: "0a0a0a0a-1111-4222-8333-444444444444",
  mailboxes: [],
  until: "2026-11-29T01:00:00.000Z",
};
const accepted = { outcome: "accepted", attempt: 1, operationId: "an operation", retryAfterMs: 60_000 };
const waiting = { stage: "waiting", attempt: 1, operationId: "an operation", waitMs: 60_000 };
const inventory = { files: 2, bytes: 20, inventorySha256: "the hash of the inventory" };

const exportPersonalData: Record<string, Scenario> = {
  "a request that is answered at once, and an inventory": {
    input: request,
    activities: {
      "request-personal-data-export": () => accepted,
      "check-personal-data-export": () => ({ state: "complete", progress: 100 }),
      "list-personal-data": () => inventory,
    },
  },
  "a resumed generation: files come early, mailboxes are copied": {
    input: { ...request, mailboxes: [ada.key, adaArchive.key], resume: waiting },
    events: [
      { name: "wake", afterMs: 10_000 },
      { name: "wake", afterMs: 11_000 },
    ],
    activities: {
      "check-personal-data-export": () => ({ state: "complete" }),
      "copy-mailbox-data": inTurn<unknown>({ blobs: 4, bytes: 40, next: 4 }, { blobs: 1, bytes: 5 }),
      "list-personal-data": inTurn<unknown>({ files: 10, bytes: 100 }, inventory),
    },
  },
  "an export that is still running": {
    input: { ...request, resume: { ...waiting, attempt: 2, progress: 30 } },
    activities: {
      "check-personal-data-export": () => ({ state: "running", progress: 40, retryAfterMs: 5_000 }),
    },
  },
  "Microsoft takes no more today": {
    input: request,
    activities: { "request-personal-data-export": () => ({ outcome: "limited" }) },
  },
  "a request that was never answered": {
    input: { ...request, resume: { stage: "asking", attempt: 2 } },
    activities: { "request-personal-data-export": () => ({ outcome: "unanswered" }) },
  },
  "a request that is refused": {
    input: request,
    activities: {
      "request-personal-data-export": () => ({ outcome: "refused", status: 403, code: "Authorization_RequestDenied" }),
    },
  },
};

const translation = {
  translationId: RESTORE,
  mailbox: ada,
  from: "entryId",
  to: "restId",
  ids: 3_500,
  pieces: 4,
};
const translated = { next: 4, translated: 3_490, failed: 10, throttled: 0, waitMs: 0 };

const translateExchangeIds: Record<string, Scenario> = {
  "two activities, and a wait that Graph asks for": {
    input: translation,
    activities: {
      "translate-ids": inTurn<unknown>(
        { next: 1, translated: 900, failed: 2, throttled: 1, waitMs: 120_000 },
        translated,
      ),
    },
  },
  "a resumed generation whose twenty activities do not suffice": {
    input: {
      ...translation,
      ids: 1_000_000,
      pieces: 1_000,
      resume: { piece: 20, totals: { translated: 19_000, failed: 5, throttled: 1 } },
    },
    activities: {
      "translate-ids": ({ piece }: { piece: number }) => ({ ...translated, next: piece + 1, translated: 900 }),
    },
  },
  "Graph translates nothing": {
    input: translation,
    activities: { "translate-ids": () => ({ ...translated, next: 0, refused: "permission" }) },
  },
};

/** What people ask for beside backups and restores. */
export const requests = {
  "export-personal-data": exportPersonalData,
  "translate-exchange-ids": translateExchangeIds,
};
