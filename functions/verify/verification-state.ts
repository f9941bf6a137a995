import * as z from "zod";
import { MailboxKey, RunId, SnapshotId } from "../../shared/contracts/ids.ts";
import { type Blobs, readJson, updateJson } from "../../shared/storage/blobs.ts";
import { Finding, MAX_FINDINGS } from "../../shared/vault/finding.ts";
import { PackName } from "../../shared/vault/names.ts";
import { VerifyScope, VerifyTotals } from "./verify.contract.ts";

const Count = z.int().nonnegative();

/** A piece of a mailbox that is verified as one: the head, or a snapshot. */
const Piece = z.union([SnapshotId, z.literal("head")]);
export type Piece = z.output<typeof Piece>;

/** A piece that was damaged when it was last verified, and the verification that found it. */
const DamagedPiece = z.object({
  piece: Piece,
  run: RunId,
  at: z.iso.datetime(),
  problems: z.int().positive(),
  /** Those of blobs that the newest snapshot does not need. */
  superseded: Count.optional(),
});

const PieceFinding = Finding.extend({
  piece: Piece,
  run: RunId,
  /** The newest snapshot does not need the blob: what it holds of it was stored again, or is gone from the mailbox. */
  superseded: z.literal(true).optional(),
});

/** Verifications whose applied waves are remembered: more than ever verify one mailbox at the same time. */
const MAX_RUNS = 8;

/** What verifications found out about a mailbox's blobs. */
export const Verification = z.object({
  v: z.literal(1),
  mailbox: MailboxKey,
  /** The newest verification, and what it has verified in this mailbox. */
  last: VerifyTotals.omit({ mailboxes: true }).extend({
    run: RunId,
    at: z.iso.datetime(),
    scope: VerifyScope,
    /** Whether it has finished the mailbox. */
    done: z.boolean(),
  }),
  /** When a verification of the whole mailbox last ended. */
  whole: z.iso.datetime().optional(),
  damaged: z.array(DamagedPiece),
  /** What was found in the damaged pieces; the first {@link MAX_FINDINGS} of it. */
  findings: z.array(PieceFinding),
  /** The last wave of each verification that this record includes. */
  applied: z.record(RunId, Count),
});
export type Verification = z.output<typeof Verification>;

/** A piece that a wave has verified, wholly or in part. */
export const VerifiedPiece = z.object({
  piece: Piece,
  /** Whether the verification has finished it. */
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

/** What the verifications of a mailbox found out; `undefined` before the first. */
export const readVerification = (state: Blobs, mailbox: MailboxKey): Promise<Verification | undefined> =>
  readJson(state, nameOf(mailbox), Verification);

/** The number of known problems. */
export const problemsOf = ({ damaged }: Verification): number =>
  damaged.reduce((sum, { problems }) => sum + problems, 0);

/** The number of known problems that the newest snapshot may meet. */
export const openProblemsOf = ({ damaged }: Verification): number =>
  damaged.reduce((sum, { problems, superseded = 0 }) => sum + problems - superseded, 0);

/** Damage that a run mends. */
export interface OpenDamage {
  readonly packs: PackName[];
  /** A blob of the catalogue, and what is wrong with it. */
  readonly catalogue?: string;
  /** False when there is more damage than findings name. */
  readonly isWhole: boolean;
}

/** Known damage that is not superseded, less that of the head. */
export const openDamageOf = (known: Verification): OpenDamage => {
  const open = known.findings.filter(({ superseded }) => !superseded);
  const packs = new Set<PackName>();
  let catalogue: string | undefined;
  for (const { piece, blob, problem } of open) {
    const pack = PackName.safeParse(blob);
    if (pack.success) packs.add(pack.data);
    else if (piece !== "head") catalogue ??= `${blob}: ${problem}`;
  }
  const isWhole = openProblemsOf(known) <= open.length;
  return { packs: [...packs], isWhole, ...(catalogue === undefined ? {} : { catalogue }) };
};

/** Adds findings that no verification made, unless their blobs have some already. */
export const noteDamage = (
  state: Blobs,
  mailbox: MailboxKey,
  found: readonly Finding[],
  where: Pick<z.output<typeof DamagedPiece>, "piece" | "run" | "at"> & { readonly piece: SnapshotId },
): Promise<Verification> =>
  updateJson(state, nameOf(mailbox), Verification, (current) => {
    const { piece, run, at } = where;
    const scope: VerifyScope = { mailbox, snapshot: piece };
    const seen = { snapshots: 0, packs: 1, items: 0, bytes: 0, problems: found.length };
    const known = current ?? {
      v: 1,
      mailbox,
      last: { run, at, scope, done: false, ...seen },
      damaged: [],
      findings: [],
      applied: {},
    };
    const fresh = found.filter(({ blob }) => !known.findings.some((finding) => finding.blob === blob));
    if (fresh.length === 0) return known;
    return {
      ...known,
      damaged: [...known.damaged, { ...where, problems: fresh.length }],
      findings: [...known.findings, ...fresh.map((finding) => ({ ...finding, piece, run }))].slice(0, MAX_FINDINGS),
    };
  });

/** Notes anew which findings are superseded, and of which pieces all are, also those that are only counted. */
export const markSuperseded = (
  state: Blobs,
  mailbox: MailboxKey,
  isSuperseded: { readonly blob: (name: string) => boolean; readonly piece: (piece: Piece) => boolean },
): Promise<Verification> =>
  updateJson(state, nameOf(mailbox), Verification, (current) => {
    if (current === undefined) throw new Error(`${mailbox} was never verified`);
    const findings = current.findings.map(({ superseded: _, ...finding }) =>
      isSuperseded.piece(finding.piece) || isSuperseded.blob(finding.blob)
        ? { ...finding, superseded: true as const }
        : finding,
    );
    const damaged = current.damaged.map(({ superseded: _, ...known }) => {
      const { piece, run, problems } = known;
      const isOf = (finding: (typeof findings)[number]) => finding.piece === piece && finding.run === run;
      const listed = findings.filter((finding) => "superseded" in finding && isOf(finding)).length;
      const superseded = isSuperseded.piece(piece) ? problems : listed;
      return superseded === 0 ? known : { ...known, superseded };
    });
    return { ...current, damaged, findings };
  });

/** Adds a wave to the record. Done again, it changes nothing. */
export const noteVerified = (state: Blobs, verified: VerifiedMailbox, wave: WaveOf): Promise<Verification> =>
  updateJson(state, nameOf(verified.mailbox), Verification, (current) => withWave(current, verified, wave));

/** Pure, so that a guarded update may do it again. */
const withWave = (current: Verification | undefined, verified: VerifiedMailbox, wave: WaveOf): Verification => {
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

/** Findings of other verifications are stale once this one has finished their piece, or the whole mailbox. */
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
