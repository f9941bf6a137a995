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
 * A pure function of its arguments, so that an orchestrator may call it. Of the six characters, the first two are the
 * milliseconds, in text order, and the others are the guid's first 20 bits.
 */
export const runId = (startedAt: Date, guid: string): RunId => {
  const time = startedAt.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const bits = startedAt.getUTCMilliseconds() * 2 ** 20 + (Number.parseInt(guid.slice(0, 8), 16) >>> 12);
  const characters = Array.from({ length: 6 }, (_, i) => SORTED_BASE32[(bits >>> (25 - 5 * i)) & 31]).join("");
  return RunId.parse(`${time}-${characters}`);
};

/** When a run began, to the second. */
export const runStart = (id: RunId): Date =>
  new Date(id.slice(0, 16).replace(/^(....)(..)(..T..)(..)(..)Z$/, "$1-$2-$3:$4:$5Z"));

/**
 * The id itself if it sorts after another. Else the next moment's, with its own random characters: clocks may have been
 * ahead, and a snapshot sorts after the one that it follows.
 */
export const runIdAfter = (id: RunId, other: RunId): RunId => {
  if (id > other) return id;
  const [high = 0, low = 0] = [...other.slice(17, 19)].map((character) => SORTED_BASE32.indexOf(character));
  const next = new Date(runStart(other).getTime() + high * 32 + low + 1);
  return RunId.parse(runId(next, "00000000").slice(0, -4) + id.slice(-4));
};

/** The first and the last moment that an id can express. */
const FIRST_MS = 0;
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The last possible id of a run that began at or before a moment. */
export const lastRunIdAt = (moment: string): RunId =>
  runId(new Date(Math.min(Math.max(Date.parse(moment), FIRST_MS), LAST_MS)), "ffffffff");
