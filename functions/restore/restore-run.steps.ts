import type { OrchestrationContext } from "durable-functions";
import type { MailboxKey, RunId } from "../../shared/contracts/ids.ts";
import { ownGuid } from "../../shared/durable/own-ids.ts";
import type { Wait } from "../../shared/durable/waits.ts";
import type { SlotUse } from "../slots/hold-slots.steps.ts";
import type { SlotUser } from "../slots/slots.contract.ts";
import type {
  Priority,
  RestoreActivityInput,
  RestoreMailboxInput,
  RestoreResult,
  RestoreTotals,
  Stopped,
} from "./restore.contract.ts";
import { type RestoreStatus, restoreStatus, type WavePace } from "./restore.progress.ts";

/** Where the import of a planned restore stands. */
export type ImportState = NonNullable<RestoreMailboxInput["resume"]>;

/** One generation of a restore: what it is to do, and what it has come to. */
export interface RestoreRun {
  readonly input: RestoreMailboxInput;
  /** The jobs whose wishes it heeds: its own, and the list's that it is a part of. */
  readonly jobs: readonly string[];
  /** What its activities need to know of it. */
  readonly restore: RestoreActivityInput;
  readonly target: { readonly restoreId: RunId; readonly mailboxKey: MailboxKey };
  readonly slots: SlotUse;
  /** Set once it is planned. */
  state: ImportState | undefined;
  /** Why it ends before its plan does. */
  stopped: Stopped | undefined;
  /** What it has waited for since it last did something. */
  wait: Wait | undefined;
}

export const restoreRun = (context: OrchestrationContext, input: RestoreMailboxInput): RestoreRun => {
  const { restoreId, exclusive, partOf, resume, stopped, wait } = input;
  const mailbox = input.into ?? input.mailbox;
  const jobs = [context.df.instanceId, ...(partOf === undefined ? [] : [partOf])];
  const holder = input.holder ?? ownGuid(context, restoreId);
  return {
    input,
    jobs,
    restore: { restoreId, mailbox, exclusive, jobs },
    target: { restoreId, mailboxKey: mailbox.key },
    slots: { mailboxKey: mailbox.key, holder, user: slotUser(input) },
    state: resume,
    stopped,
    wait,
  };
};

/** Items of a restore that a person waits for. */
const SMALL = 500;

const USERS: Readonly<Record<Priority, SlotUser>> = { high: "high-restore", normal: "restore", low: "low-restore" };

/** A restore that is not planned yet counts as a small one: planning is short, and a person may wait for it. */
const slotUser = ({ partOf, priority = "normal", resume }: RestoreMailboxInput): SlotUser =>
  partOf === undefined && (resume?.plan.items ?? 0) <= SMALL ? "small-restore" : USERS[priority];

/** The input of the next generation. */
export const nextInput = ({ input, state, stopped, wait, slots }: RestoreRun): RestoreMailboxInput => {
  const { resume: _, stopped: __, wait: ___, ...order } = input;
  return {
    ...order,
    holder: slots.holder,
    ...(state !== undefined && { resume: state }),
    ...(stopped !== undefined && { stopped }),
    ...(wait !== undefined && { wait }),
  };
};

const NOT_PLANNED = { items: 0, present: 0, bytes: 0 };
export const NOTHING_DONE: RestoreTotals = {
  imported: 0,
  replaced: 0,
  ambiguous: 0,
  failed: 0,
  bytes: 0,
  throttled: 0,
};

/** Shows where a restore stands. */
export const showRestore = (
  context: OrchestrationContext,
  { state }: RestoreRun,
  phase: RestoreStatus["phase"],
  { pace, ...more }: Pick<RestoreStatus, "waiting" | "paused"> & { readonly pace?: WavePace } = {},
): void => {
  const status = restoreStatus(phase, state?.plan ?? NOT_PLANNED, state?.totals ?? NOTHING_DONE, pace);
  context.df.setCustomStatus({ ...status, ...more } satisfies RestoreStatus);
};

const NOT_PERMITTED = "A fresh import session refused every item: check the app's right to import";

/**
 * The end of a restore that has reported.
 *
 * @throws {Error} for one that failed, or that lacks a permission.
 */
export const endOf = <T>({ stopped }: RestoreRun, result: T): T => {
  if (stopped?.reason === "failed") throw new Error(stopped.detail);
  if (stopped?.reason === "not-permitted") throw new Error(`${NOT_PERMITTED} (${stopped.code})`);
  return result;
};

/** The result of a dry run that was cancelled before it was planned. */
export const resultOfNothing = ({ stopped }: RestoreRun): RestoreResult => {
  const { throttled: _, ...none } = NOTHING_DONE;
  return { ...none, present: 0, missing: 0, ...(stopped !== undefined && { stopped }) };
};
