import * as z from "zod";
import { MailboxKey, RunId, SnapshotId } from "../../shared/contracts/ids.ts";
import { type Blobs, readJson, updateJson } from "../../shared/storage/blobs.ts";
import { Finding, MAX_FINDINGS } from "../../shared/vault/finding.ts";
import { VerifyScope, VerifyTotals } from "./verify.contract.ts";

const Count = z.int().nonnegative();

/** Of a mailbox, its head or one of its snapshots. */
const Piece = z.union([SnapshotId, z.literal("head")]);
export type Piece = z.output<typeof Piece>;

/** A piece that was damaged when it was last looked at, and the verification that found it. */
const DamagedPiece = z.object({ piece: Piece, run: RunId, at: z.iso.datetime(), problems: z.int().positive() });

const PieceFinding = Finding.extend({ piece: Piece, run: RunId });

/** Applied waves are remembered of so many verifications: more than ever look at one mailbox at the same time. */
const MAX_RUNS = 8;

/** What is known of the soundness of a mailbox's blobs. */
export const Verification = z.object({
  v: z.literal(1),
  mailbox: MailboxKey,
  /** The newest verification, and what it has looked at in this mailbox. */
  last: VerifyTotals.omit({ mailboxes: true }).extend({
    run: RunId,
    at: z.iso.datetime(),
    scope: VerifyScope,
    /** Whether it is through with the mailbox. */
    done: z.boolean(),
  }),
  /** When a verification of the whole mailbox last ended. */
  whole: z.iso.datetime().optional(),
  damaged: z.array(DamagedPiece),
  /** What was found in the damaged pieces, as far as there is room for it. */
  findings: z.array(PieceFinding),
  /** The last wave of each verification that is counted in. */
  applied: z.record(RunId, Count),
});
export type Verification = z.output<typeof Verification>;

/** A piece that a wave has looked at, wholly or in part. */
export const VerifiedPiece = z.object({
  piece: Piece,
  /** Whether the verification is through with it. */
  done: z.boolean(),
  problems: Count,
  findings: z.array(Finding),
});
export type VerifiedPiece = z.output<typeof VerifiedPiece>;

/** What a wave did in one mailbox. */
export const VerifiedMailbox = VerifyTotals.omit({ mailboxes: true }).extend({
  mailbox: MailboxKey,
  done: z.boolean(),
  pieces: z.array(VerifiedPiece),
});
export type VerifiedMailbox = z.output<typeof VerifiedMailbox>;

/** The wave of a verification. */
export interface WaveOf {
  readonly run: RunId;
  readonly wave: number;
  readonly at: string;
  readonly scope: VerifyScope;
}

const nameOf = (mailbox: MailboxKey): string => `verification/${mailbox}.json`;

/** What the verifications of a mailbox found; `undefined` before the first. */
export const readVerification = (state: Blobs, mailbox: MailboxKey): Promise<Verification | undefined> =>
  readJson(state, nameOf(mailbox), Verification);

/** The problems that are known now. */
export const problemsOf = ({ damaged }: Verification): number =>
  damaged.reduce((sum, { problems }) => sum + problems, 0);

/** Counts a wave in. Done again, it changes nothing. */
export const noteVerified = (state: Blobs, verified: VerifiedMailbox, wave: WaveOf): Promise<Verification> =>
  updateJson(state, nameOf(verified.mailbox), Verification, (current) => counted(current, verified, wave));

/** Pure, so that a guarded update may do it again. */
const counted = (current: Verification | undefined, verified: VerifiedMailbox, wave: WaveOf): Verification => {
  const { run, at, scope } = wave;
  if (current !== undefined && (current.applied[run] ?? -1) >= wave.wave) return current;
  const { mailbox, done, pieces, ...totals } = verified;
  const before = current?.last.run === run ? current.last : undefined;
  const isWhole = done && !("snapshot" in scope) && !("share" in scope);
  const isStale = staleAfter(verified, run, isWhole);

  let damaged = (current?.damaged ?? []).filter((piece) => !isStale(piece));
  for (const { piece, problems } of pieces) if (problems > 0) damaged = withProblems(damaged, piece, problems, wave);
  const found = pieces.flatMap(({ piece, findings }) => findings.map((finding) => ({ ...finding, piece, run })));
  const whole = isWhole ? at : current?.whole;
  return {
    v: 1,
    mailbox,
    last: {
      run,
      at,
      scope,
      done,
      snapshots: (before?.snapshots ?? 0) + totals.snapshots,
      packs: (before?.packs ?? 0) + totals.packs,
      items: (before?.items ?? 0) + totals.items,
      bytes: (before?.bytes ?? 0) + totals.bytes,
      problems: (before?.problems ?? 0) + totals.problems,
    },
    ...(whole === undefined ? {} : { whole }),
    damaged,
    findings: [...(current?.findings ?? []).filter((finding) => !isStale(finding)), ...found].slice(0, MAX_FINDINGS),
    applied: Object.fromEntries(
      Object.entries({ ...current?.applied, [run]: wave.wave })
        .toSorted(([a], [b]) => (a < b ? 1 : -1))
        .slice(0, MAX_RUNS),
    ),
  };
};

/** What other verifications found in a piece is over once this one is through with it, or with the mailbox as a whole. */
const staleAfter = ({ pieces }: VerifiedMailbox, run: RunId, isWhole: boolean) => {
  const finished = new Set(pieces.filter(({ done }) => done).map(({ piece }) => piece));
  return (known: { readonly piece: Piece; readonly run: RunId }): boolean =>
    known.run !== run && (isWhole || finished.has(known.piece));
};

type Damaged = Verification["damaged"];

const withProblems = (damaged: Damaged, piece: Piece, problems: number, { run, at }: WaveOf): Damaged => {
  const known = damaged.find((other) => other.piece === piece && other.run === run);
  const others = damaged.filter((other) => other !== known);
  return [...others, { piece, run, at, problems: problems + (known?.problems ?? 0) }];
};
