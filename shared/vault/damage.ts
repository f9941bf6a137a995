import type * as z from "zod";
import { parseJson, UnreadableBlobError } from "../storage/blobs.ts";

/** The content of the vault is damaged. No retry helps; the message names the blob and, if any, the item. */
export class VaultDamageError extends UnreadableBlobError {
  override readonly name = "VaultDamageError";
  readonly itemId: string | undefined;

  constructor(problem: string, where: { blob: string; itemId?: string; cause?: unknown }) {
    super(problem, where);
    if (where.itemId !== undefined) this.message = `${where.blob}, item ${where.itemId}: ${problem}`;
    this.itemId = where.itemId;
  }
}

/** Parses bytes of a vault blob. @throws {VaultDamageError} with the blob's name when they do not match the schema. */
export const parseVaultJson = <T>(name: string, body: Uint8Array, schema: z.ZodType<T>): T => {
  try {
    return parseJson(name, body, schema);
  } catch (error) {
    if (!(error instanceof UnreadableBlobError)) throw error;
    throw new VaultDamageError(error.problem, { blob: error.blob, cause: error.cause });
  }
};
