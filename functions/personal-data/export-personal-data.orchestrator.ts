import type { OrchestrationContext, Task } from "durable-functions";
import { call } from "../../shared/durable/activity.ts";
import { awaitEvent } from "../../shared/durable/await-event.ts";
import { inFull, momentIn, msUntil, pause } from "../../shared/durable/pause.ts";
import {
  checkPersonalDataExport,
  copyMailboxData,
  type ExportPersonalDataInput,
  ExportPersonalDataInput as Input,
  listPersonalData,
  PERSONAL_DATA_WRITTEN,
  type PersonalDataResult,
  requestPersonalDataExport,
  type Stage,
} from "./personal-data.contract.ts";

/** Steps in one generation: history is replayed for each, so it must stay short. */
const STEPS_PER_GENERATION = 20;

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
): Generator<Task, PersonalDataResult | undefined, unknown> {
  const input = Input.parse(context.df.getInput());
  let stage: Stage = input.resume ?? { stage: "asking", attempt: 1 };
  for (let steps = 0; steps < STEPS_PER_GENERATION; steps += 1) {
    const next = yield* step(context, input, stage);
    if (!("stage" in next)) return next;
    const waits = next.stage === stage.stage && (next.stage === "asking" || next.stage === "waiting");
    stage = next;
    // Each wait for an event has a generation of its own.
    if (waits) break;
  }
  context.df.continueAsNew({ ...input, resume: stage } satisfies ExportPersonalDataInput);
  return undefined;
}

function* step(
  context: OrchestrationContext,
  input: ExportPersonalDataInput,
  stage: Stage,
): Generator<Task, Stage | PersonalDataResult, unknown> {
  switch (stage.stage) {
    case "asking":
      return yield* ask(context, input, stage);
    case "waiting":
      return yield* waitAndPoll(context, input, stage);
    case "copying":
      return yield* copy(context, input, stage);
    case "listing":
      return yield* list(context, input, stage);
  }
}

function* ask(
  context: OrchestrationContext,
  { exportId, userId, until }: ExportPersonalDataInput,
  { attempt }: StageOf<"asking">,
): Generator<Task, StageOf<"asking" | "waiting">, unknown> {
  const unanswered = attempt - 1;
  context.df.setCustomStatus({ phase: "asking", unanswered });
  const answer = yield* call(context, requestPersonalDataExport, { exportId, userId, attempt });
  switch (answer.outcome) {
    case "accepted": {
      const { operationId, retryAfterMs = POLL_MS } = answer;
      return { stage: "waiting", attempt: answer.attempt, operationId, waitMs: retryAfterMs };
    }
    case "refused":
      throw new Error(refusal(answer));
    case "limited": {
      const waitMs = Math.max(answer.retryAfterMs ?? LIMIT_WAIT_MS, MIN_WAIT_MS);
      const nextTry = momentIn(context, waitMs);
      if (waitMs > msUntil(context, until)) throw new Error(`${LIMITED}: start another export after ${nextTry}`);
      context.df.setCustomStatus({ phase: "limited", nextTry, unanswered });
      yield* pause(context, inFull(waitMs));
      return { stage: "asking", attempt };
    }
    case "unanswered":
      if (attempt === MAX_ATTEMPTS) throw new Error(NEVER_ANSWERED);
      context.df.setCustomStatus({ phase: "unanswered", nextTry: momentIn(context, SETTLE_MS), unanswered: attempt });
      yield* pause(context, SETTLE_MS);
      return { stage: "asking", attempt: attempt + 1 };
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
  { mailboxes, until }: ExportPersonalDataInput,
  waiting: StageOf<"waiting">,
): Generator<Task, StageOf<"waiting" | "copying" | "listing">, unknown> {
  const { attempt, operationId, progress } = waiting;
  context.df.setCustomStatus({ phase: "waiting", progress: progress ?? 0, unanswered: attempt - 1 });
  yield* waitForFiles(context, Math.min(Math.max(waiting.waitMs, MIN_WAIT_MS), msUntil(context, until)));

  const polled = yield* call(context, checkPersonalDataExport, { operationId });
  if (polled.state === "failed") throw new Error("Microsoft's export failed: start another");
  if (polled.state === "complete") {
    if (mailboxes.length > 0) return { stage: "copying", attempt, from: 0, copied: NONE_COPIED };
    return { stage: "listing", attempt, page: 0, files: 0, bytes: 0, copied: NONE_COPIED };
  }
  if (msUntil(context, until) <= 0)
    throw new Error(
      "Microsoft's export took too long: its files so far are in the package; start another, or delete it",
    );
  return { ...waiting, waitMs: polled.retryAfterMs ?? POLL_MS, progress: polled.progress ?? progress };
}

/** Waits until a file was written, with the others of its burst, or until the time is up. */
function* waitForFiles(context: OrchestrationContext, ms: number): Generator<Task, void, unknown> {
  if (ms <= 0) return;
  const due = momentIn(context, ms);
  const written = yield* awaitEvent(context, PERSONAL_DATA_WRITTEN, ms);
  if (written) yield* pause(context, Math.min(BURST_MS, msUntil(context, due)));
}

function* copy(
  context: OrchestrationContext,
  { exportId, mailboxes }: ExportPersonalDataInput,
  { attempt, from, copied }: StageOf<"copying">,
): Generator<Task, StageOf<"copying" | "listing">, unknown> {
  context.df.setCustomStatus({ phase: "copying", progress: 100, copied, unanswered: attempt - 1 });
  const { next, blobs, bytes } = yield* call(context, copyMailboxData, { exportId, attempt, mailboxes, from });
  const sum = { blobs: copied.blobs + blobs, bytes: copied.bytes + bytes };
  if (next === undefined) return { stage: "listing", attempt, page: 0, files: 0, bytes: 0, copied: sum };
  return { stage: "copying", attempt, from: next, copied: sum };
}

function* list(
  context: OrchestrationContext,
  { exportId }: ExportPersonalDataInput,
  { attempt, page, copied, ...before }: StageOf<"listing">,
): Generator<Task, StageOf<"listing"> | PersonalDataResult, unknown> {
  const unanswered = attempt - 1;
  const { files, bytes } = before;
  context.df.setCustomStatus({ phase: "listing", progress: 100, files, bytes, copied, unanswered });
  const listed = yield* call(context, listPersonalData, { exportId, attempt, page });
  const sum = { files: files + listed.files, bytes: bytes + listed.bytes };
  if (listed.inventorySha256 === undefined) return { stage: "listing", attempt, page: page + 1, ...sum, copied };
  context.df.setCustomStatus({ phase: "done", progress: 100, ...sum, copied, unanswered });
  return { ...sum, inventorySha256: listed.inventorySha256, copied, unanswered };
}
