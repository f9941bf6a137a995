import * as z from "zod";

/** RFC 4648 base32 in lower case: safe in blob names, instance ids and URLs, and free of look-alike upper case. */
export const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** The only name of a mailbox in blob names, instance ids and logs. */
export const MailboxKey = z.string().regex(/^[a-z2-7]{26}$/, "a mailbox key is 26 characters of lower-case base32");
export type MailboxKey = z.infer<typeof MailboxKey>;

/** One backup of one mailbox: `20261122T010000Z-abc234`. Text order is time order, to the millisecond. */
export const RunId = z
  .string()
  .regex(
    /^\d{8}T\d{6}Z-[a-z2-7]{6}$/,
    "a run id is a UTC time and six base32 characters, as in 20261122T010000Z-abc234",
  );
export type RunId = z.infer<typeof RunId>;

/** A snapshot carries the id of the run that wrote it. */
export const SnapshotId = RunId;
export type SnapshotId = RunId;

/** The characters of base32 in text order. */
const SORTED_BASE32 = [...BASE32].sort().join("");

/**
 * A pure function of its arguments, so that an orchestrator may call it. Of the six characters the first two are the
 * milliseconds, in text order, and the others the guid's first 20 bits.
 */
export function runId(startedAt: Date, guid: string): RunId {
  const time = startedAt.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const bits = startedAt.getUTCMilliseconds() * 2 ** 20 + (Number.parseInt(guid.slice(0, 8), 16) >>> 12);
  const characters = Array.from({ length: 6 }, (_, i) => SORTED_BASE32[(bits >>> (25 - 5 * i)) & 31]).join("");
  return RunId.parse(`${time}-${characters}`);
}

/** When a run began, to the second. */
export const runStart = (id: RunId): Date =>
  new Date(id.slice(0, 16).replace(/^(....)(..)(..T..)(..)(..)Z$/, "$1-$2-$3:$4:$5Z"));

/** The first and the last moment that an id can tell. */
const FIRST_MS = 0;
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** No run that had begun by a moment has an id after this one. */
export const lastRunIdAt = (moment: string): RunId =>
  runId(new Date(Math.min(Math.max(Date.parse(moment), FIRST_MS), LAST_MS)), "ffffffff");

/** One tenant-wide backup is alive at a time, so its instance id is fixed. */
export const backupTenantInstance = "backup-tenant";

/** One place in the window of a job that works through a queue, which is the tenant-wide backup unless it is named. */
export const placeInstance = (place: number, job: string = backupTenantInstance): string => `${job}-place-${place}`;

export const backupInstance = (key: MailboxKey): string => `backup-${key}`;

/** One clean-up of a mailbox is alive at a time. */
export const cleanInstance = (key: MailboxKey): string => `clean-${key}`;

/** One clean-up of the whole vault is alive at a time. */
export const cleanVaultInstance = "clean-vault";

export const restoreInstance = (id: string): string => `restore-${id}`;

/** What follows a snapshot. */
export const followUpInstance = (key: MailboxKey, snapshot: SnapshotId): string => `follow-up-${key}-${snapshot}`;

/** What protects the mailboxes of someone who leaves; `user` is the hash of their id. */
export const leaverInstance = (user: string): string => `leaver-${user}`;

/** The restore rehearsal of a day. */
export const rehearsalInstance = (date: string): string => `rehearsal-${date}`;

/** One verification of a mailbox is alive at a time. */
export const verifyInstance = (key: MailboxKey): string => `verify-${key}`;

/** The verification of one snapshot, after it was written. */
export const verifySnapshotInstance = (key: MailboxKey, id: SnapshotId): string => `verify-${key}-${id}`;

/** The verification of a day's share of the vault; `day` is an ISO date. */
export const verifyShareInstance = (day: string): string => `verify-share-${day}`;

/** The restore of a job's id; `undefined` for the id of another kind of job, and for what is no id. */
export const restoreIdOf = (job: string): RunId | undefined =>
  job.startsWith("restore-") ? RunId.safeParse(job.slice("restore-".length)).data : undefined;

/** A list of restores under one job. */
export const restoresInstance = (listId: RunId): string => `restores-${listId}`;

/** The list of a job's id; `undefined` for whatever else. */
export const restoreListOf = (job: string): RunId | undefined =>
  job.startsWith("restores-") ? RunId.safeParse(job.slice("restores-".length)).data : undefined;

export const personalDataInstance = (id: RunId): string => `personal-data-${id}`;

/** The personal-data export of a job's id; `undefined` for the id of another kind of job, and for what is no id. */
export const personalDataIdOf = (job: string): RunId | undefined =>
  job.startsWith("personal-data-") ? RunId.safeParse(job.slice("personal-data-".length)).data : undefined;

/** When what has this id began, to the second. */
export const startOf = (id: RunId): Date =>
  new Date(id.replace(/^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z.*$/, "$1-$2-$3T$4:$5:$6Z"));

export const translationInstance = (id: string): string => `translate-${id}`;

/** The translation of a job's id; `undefined` for the id of another kind of job, and for what is no id. */
export const translationIdOf = (job: string): RunId | undefined =>
  job.startsWith("translate-") ? RunId.safeParse(job.slice("translate-".length)).data : undefined;

const KEY = "[a-z2-7]{26}";
const RUN = "\\d{8}T\\d{6}Z-[a-z2-7]{6}";

const JOBS = [
  "backup-tenant",
  `backup-${KEY}`,
  "clean-vault",
  `clean-${KEY}`,
  `restore-${RUN}`,
  `restores-${RUN}`,
  `translate-${RUN}`,
  `follow-up-${KEY}-${RUN}`,
  `leaver-${KEY}`,
  "rehearsal-\\d{4}-\\d\\d-\\d\\d",
  `verify-${KEY}(-${RUN})?`,
  "verify-share-\\d{4}-\\d{2}-\\d{2}",
  `personal-data-${RUN}`,
];

/** The id of any job: the instance id of its orchestration. */
export const JobId = z.string().regex(new RegExp(`^(${JOBS.join("|")})$`), "not the id of a job");
export type JobId = z.infer<typeof JobId>;
