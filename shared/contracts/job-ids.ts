import * as z from "zod";
import { type MailboxKey, type RunId, runStart, type SnapshotId } from "./ids.ts";

const KEY = "[a-z2-7]{26}";
const RUN = "\\d{8}T\\d{6}Z-[a-z2-7]{6}";
const DAY = "\\d{4}-\\d{2}-\\d{2}";

/** One form of job ids, which are the instance ids of orchestrations. Makes an id from its parts, and parses one. */
export interface JobIdForm<P extends readonly string[]> {
  (...parts: P): string;
  /** The parts of an id of this form; `undefined` for any other text. */
  parse(id: string): P | undefined;
}

const form = <P extends readonly string[]>(
  prefix: string,
  ...parts: { readonly [K in keyof P]: string }
): JobIdForm<P> => {
  const pattern = new RegExp(`^${[prefix, ...parts.map((part) => `(${part})`)].join("-")}$`);
  const make = (...values: P): string => [prefix, ...values].join("-");
  return Object.assign(make, { parse: (id: string) => pattern.exec(id)?.slice(1) as P | undefined });
};

/** One tenant-wide backup is alive at a time. */
export const backupTenantInstance = form<[]>("backup-tenant");

/** One backup of a mailbox is alive at a time. */
export const backupInstance = form<[MailboxKey]>("backup", KEY);

/** One clean-up of the whole vault is alive at a time. */
export const cleanVaultInstance = form<[]>("clean-vault");

/** One clean-up of a mailbox is alive at a time. */
export const cleanInstance = form<[MailboxKey]>("clean", KEY);

/** Scratch data is tidied by one job at a time. */
export const tidyWorkInstance = form<[]>("tidy-work");

export const restoreInstance = form<[RunId]>("restore", RUN);

/** A list of restores under one job. */
export const restoresInstance = form<[RunId]>("restores", RUN);

/** The undoing of a restore. */
export const undoInstance = form<[RunId]>("undo", RUN);

export const translationInstance = form<[RunId]>("translate", RUN);

/** The follow-up of a snapshot. */
export const followUpInstance = form<[MailboxKey, SnapshotId]>("follow-up", KEY, RUN);

/** The protection of a leaver's mailboxes; `user` is the hash of their id. */
export const leaverInstance = form<[user: string]>("leaver", KEY);

/** The restore rehearsal of a day, an ISO date. */
export const rehearsalInstance = form<[date: string]>("rehearsal", DAY);

/** One verification of a mailbox is alive at a time. */
export const verifyInstance = form<[MailboxKey]>("verify", KEY);

/** The verification of a day's share of the vault; `day` is an ISO date. */
export const verifyShareInstance = form<[day: string]>("verify-share", DAY);

export const personalDataInstance = form<[RunId]>("personal-data", RUN);

const FORMS: readonly { parse(id: string): unknown }[] = [
  backupTenantInstance,
  backupInstance,
  cleanVaultInstance,
  cleanInstance,
  tidyWorkInstance,
  restoreInstance,
  restoresInstance,
  undoInstance,
  translationInstance,
  followUpInstance,
  leaverInstance,
  rehearsalInstance,
  verifyInstance,
  verifyShareInstance,
  personalDataInstance,
];

/** Whether one instance with this id is alive at a time, and the id comes again. Other ids name one piece of work. */
export const hasOneAlive = (id: string): boolean =>
  [backupTenantInstance, backupInstance, cleanVaultInstance, cleanInstance, tidyWorkInstance, verifyInstance].some(
    (form) => form.parse(id) !== undefined,
  );

/** When a job was asked for, to the second, where its id says so; `undefined` for an id that comes again. */
export const askedAt = (id: string): Date | undefined => {
  const forms = [restoreInstance, restoresInstance, undoInstance, translationInstance, personalDataInstance];
  const [run] = forms.flatMap((form) => form.parse(id) ?? []);
  return run === undefined ? undefined : runStart(run);
};

/** The id of a job that people see. */
export const JobId = z
  .string()
  .refine((id) => FORMS.some((form) => form.parse(id) !== undefined), "not the id of a job");
export type JobId = z.infer<typeof JobId>;

/** One place in the window of a job that works through a queue. People see the job, not its places. */
export const placeInstance = (place: number, job: string): string => `${job}-place-${place}`;
