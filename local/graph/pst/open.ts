import { closeSync, openSync, readSync, statSync } from "node:fs";
import { PSTFile } from "pst-extractor";

/** A file that cannot be read as an Outlook data file; the message is one line that names it and says why. */
export class OutlookFileError extends Error {
  override readonly name = "OutlookFileError";

  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`Cannot read the Outlook file ${path}: ${reason}`, options);
  }
}

/** Offsets in the header. Source: [MS-PST] 2.2.2.6 HEADER and 2.2.2.5 ROOT. */
const HEADER = { versionAt: 10, unicode: { eofAt: 184, cryptAt: 513 }, ansi: { eofAt: 168, cryptAt: 461 } };
const HEADER_BYTES = 564;
const ANSI_VERSIONS = new Set([14, 15]);
const UNICODE_VERSIONS = new Set([23, 36]);
const NOT_ENCRYPTED = new Set([0, 1]);

/**
 * Opens an Outlook data file after checking its header, because the library opens anything and fails late.
 * The caller closes the file.
 * @throws {OutlookFileError} when it is missing, no PST, of an unknown version, encrypted, truncated or damaged.
 */
export const openOutlookFile = (path: string): PSTFile => {
  const { header, sizeBytes } = readHeader(path);
  const problem = problemOf(header, sizeBytes);
  if (problem !== undefined) throw new OutlookFileError(path, problem);
  return orDamaged(path, () => new PSTFile(path));
};

/** Runs something that reads the file's structure, and says which file it is when that is broken. */
export const orDamaged = <T>(path: string, read: () => T): T => {
  try {
    return read();
  } catch (error) {
    const [detail = ""] = String(error instanceof Error ? error.message : error).split("\n");
    throw new OutlookFileError(path, `it is damaged (${detail}).`, { cause: error });
  }
};

const readHeader = (path: string): { header: Buffer; sizeBytes: number } => {
  const header = Buffer.alloc(HEADER_BYTES);
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, "r");
    const length = readSync(descriptor, header, 0, HEADER_BYTES, 0);
    return { header: header.subarray(0, length), sizeBytes: statSync(path).size };
  } catch (error) {
    throw new OutlookFileError(path, REASONS[codeOf(error)] ?? String(error), { cause: error });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
};

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file.",
  EISDIR: "it is a directory.",
  EACCES: "permission denied.",
};

const codeOf = (error: unknown): string => (error instanceof Error && "code" in error ? String(error.code) : "");

const problemOf = (header: Buffer, sizeBytes: number): string | undefined => {
  if (header.toString("latin1", 0, 4) !== "!BDN") return "it is no Outlook data file (PST).";
  if (header.length < HEADER_BYTES) return `it is truncated: ${sizeBytes} bytes do not hold a header.`;
  const version = header.readUInt16LE(HEADER.versionAt);
  const isAnsi = ANSI_VERSIONS.has(version);
  if (!isAnsi && !UNICODE_VERSIONS.has(version)) return `its version ${version} is unknown.`;

  const { eofAt, cryptAt } = isAnsi ? HEADER.ansi : HEADER.unicode;
  if (!NOT_ENCRYPTED.has(header[cryptAt] ?? 0)) return "it is encrypted; export it again without a password.";
  const announced = isAnsi ? header.readUInt32LE(eofAt) : Number(header.readBigUInt64LE(eofAt));
  if (sizeBytes < announced) return `it is truncated: ${sizeBytes} of ${announced} bytes are there.`;
  return undefined;
};
