import type { OrchestrationContext, Task } from "durable-functions";
import { call } from "../../shared/durable/activity.ts";
import { inFull, momentIn, msUntil, pause } from "../../shared/durable/pause.ts";
import { CANCELLED, type Cancelled } from "../jobs/generation.contract.ts";
import { inGenerations, type Standing, type Step } from "../jobs/in-generations.steps.ts";
import {
  checkPersonalDataExport,
  copyMailboxData,
  type ExportPersonalDataInput,
  ExportPersonalDataInput as Input,
  listPersonalData,
  type PersonalDataResult,
  requestPersonalDataExport,
  type Stage,
} from "./personal-data.contract.ts";

/** Between two polls when Graph does not say how long to wait. Its own sample has a minute; exports take hours. */
const POLL_MS = 5 * 60_000;

/** A Retry-After of 0 must not make the export poll without a pause. */
const MIN_WAIT_MS = 1_000;

/** Microsoft's limits are daily ones, and its refusal does not say when they end. */
const LIMIT_WAIT_MS = 6 * 3_600_000;

/** Files come in bursts: after the event of the first, the export waits for the others. */
const BURST_MS = 15_000;

/** After this time a request whose answer was lost has ended: a request of the app takes 5 minutes at most. */
const SETTLE_MS = 6 * 60_000;

const MAX_ATTEMPTS = 3;

type StageOf<K extends Stage["stage"]> = Extract<Stage, { stage: K }>;

/**
 * Exports a person's data: requests it from Microsoft, waits until it is done, copies mailbox snapshots if wanted, and
 * writes the inventory. Events only shorten waits: early, repeated or lost ones do not change the outcome.
 */
export function* exportPersonalData(
  context: OrchestrationContext,
): Generator<Task, PersonalDataResult | Cancelled | undefined, unknown> {
  const { resume, wait, notBefore, ...order } = Input.parse(context.df.getInput());
  return yield* inGenerations<Stage, PersonalDataResult, Cancelled>(context, {
    jobs: [context.df.instanceId],
    generation: { wait, notBefore },
    state: resume ?? { stage: "asking", attempt: 1 },
    step: (stage) => step(context, order, stage),
    show: (stage, standing) => context.df.setCustomStatus(statusOf(stage, standing)),
    inputOf: (resume): ExportPersonalDataInput => ({ ...order, resume }),
    cancelled: () => CANCELLED,
  });
}

const statusOf = (stage: Stage, { waiting, paused }: Standing): object => {
  const unanswered = stage.attempt - 1;
  const standing = paused ? { paused } : {};
  switch (stage.stage) {
    case "asking": {
      if (waiting === undefined) return { phase: "asking", unanswered, ...standing };
      return { phase: stage.after ?? "limited", nextTry: waiting.until, unanswered };
    }
    case "waiting":
      return { phase: "waiting", progress: stage.progress ?? 0, unanswered, ...standing };
    case "copying":
      return { phase: "copying", progress: 100, copied: stage.copied, unanswered, ...standing };
    case "listing": {
      const { files, bytes, copied } = stage;
      return { phase: "listing", progress: 100, files, bytes, copied, unanswered, ...standing };
    }
  }
};

type Order = Pick<ExportPersonalDataInput, "exportId" | "userId" | "mailboxes" | "until">;
type Next = Step<Stage, PersonalDataResult>;

function* step(context: OrchestrationContext, order: Order, stage: Stage): Generator<Task, Next, unknown> {
  switch (stage.stage) {
    case "asking":
      return yield* ask(context, order, stage);
    case "waiting":
      return yield* waitAndPoll(context, order, stage);
    case "copying":
      return { state: yield* copy(context, order, stage) };
    case "listing":
      return yield* list(context, order, stage);
  }
}

function* ask(
  context: OrchestrationContext,
  { exportId, userId, until }: Order,
  { attempt }: StageOf<"asking">,
): Generator<Task, Next, unknown> {
  const answer = yield* call(context, requestPersonalDataExport, { exportId, userId, attempt });
  switch (answer.outcome) {
    case "accepted": {
      const { operationId, retryAfterMs = POLL_MS } = answer;
      return { state: { stage: "waiting", attempt: answer.attempt, operationId, waitMs: retryAfterMs } };
    }
    case "refused":
      throw new Error(refusal(answer));
    case "limited": {
      const waitMs = Math.max(answer.retryAfterMs ?? LIMIT_WAIT_MS, MIN_WAIT_MS);
      const nextTry = momentIn(context, inFull(waitMs));
      if (waitMs > msUntil(context, until)) throw new Error(`${LIMITED}: start another export after ${nextTry}`);
      return { state: { stage: "asking", attempt, after: "limited" }, sleep: { until: nextTry } };
    }
    case "unanswered": {
      if (attempt === MAX_ATTEMPTS) throw new Error(NEVER_ANSWERED);
      const next: Stage = { stage: "asking", attempt: attempt + 1, after: "unanswered" };
      return { state: next, sleep: { until: momentIn(context, SETTLE_MS) } };
    }
  }
}

const LIMITED = "Microsoft takes 100 exports of a person and 1,000 of a tenant in a day, and took no more of them";
const NEVER_ANSWERED = `Microsoft began ${MAX_ATTEMPTS} requests and answered none: start another export later`;
const REFUSALS: Readonly<Record<number, string>> = {
  400: "check the storage account",
  403: "check the right User.Export.All of the privacy identity",
  404: "the person is not in the directory any more",
};
const refusal = ({ status, code }: { readonly status: number; readonly code: string }): string =>
  `Microsoft refused the export with ${status} ${code}: ${REFUSALS[status] ?? "ask the tenant's administrator"}`;

const NONE_COPIED = { blobs: 0, bytes: 0 };

function* waitAndPoll(
  context: OrchestrationContext,
  { mailboxes, until }: Order,
  waiting: StageOf<"waiting">,
): Generator<Task, Next, unknown> {
  const { due: earlier, ...stage } = waiting;
  const { attempt, operationId, progress, waitMs } = stage;
  const longestMs = msUntil(context, until);
  if (earlier === undefined && longestMs > 0) {
    const due = momentIn(context, Math.min(Math.max(waitMs, MIN_WAIT_MS), longestMs));
    return { state: { ...stage, due }, sleep: { until: due, orWoken: true } };
  }
  // Woken early, by the first file of a burst.
  if (earlier !== undefined) yield* pause(context, Math.min(BURST_MS, msUntil(context, earlier)));

  const polled = yield* call(context, checkPersonalDataExport, { operationId });
  if (polled.state === "failed") throw new Error("Microsoft's export failed: start another");
  if (polled.state === "complete") {
    if (mailboxes.length > 0) return { state: { stage: "copying", attempt, from: 0, copied: NONE_COPIED } };
    return { state: { stage: "listing", attempt, page: 0, files: 0, bytes: 0, copied: NONE_COPIED } };
  }
  if (msUntil(context, until) <= 0)
    throw new Error(
      "Microsoft's export took too long: its files so far are in the package; start another, or delete it",
    );
  return { state: { ...stage, waitMs: polled.retryAfterMs ?? POLL_MS, progress: polled.progress ?? progress } };
}

function* copy(
  context: OrchestrationContext,
  { exportId, mailboxes }: Order,
  { attempt, from, copied }: StageOf<"copying">,
): Generator<Task, StageOf<"copying" | "listing">, unknown> {
  const { next, blobs, bytes } = yield* call(context, copyMailboxData, { exportId, attempt, mailboxes, from });
  const sum = { blobs: copied.blobs + blobs, bytes: copied.bytes + bytes };
  if (next === undefined) return { stage: "listing", attempt, page: 0, files: 0, bytes: 0, copied: sum };
  return { stage: "copying", attempt, from: next, copied: sum };
}

function* list(
  context: OrchestrationContext,
  { exportId }: Order,
  { attempt, page, copied, ...before }: StageOf<"listing">,
): Generator<Task, Next, unknown> {
  const unanswered = attempt - 1;
  const { files, bytes } = before;
  const listed = yield* call(context, listPersonalData, { exportId, attempt, page });
  const sum = { files: files + listed.files, bytes: bytes + listed.bytes };
  if (listed.inventorySha256 === undefined)
    return { state: { stage: "listing", attempt, page: page + 1, ...sum, copied } };
  context.df.setCustomStatus({ phase: "done", progress: 100, ...sum, copied, unanswered });
  return { result: { ...sum, inventorySha256: listed.inventorySha256, copied, unanswered } };
}
