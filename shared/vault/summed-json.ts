import { createHash } from "node:crypto";
import type * as z from "zod";
import { canonicalBytes } from "./canonical.ts";
import { parseVaultJson, VaultDamageError } from "./damage.ts";

/**
 * Canonical JSON with a member `sum`: the SHA-256 of the same JSON without it. Equal values have equal bytes, and a
 * blob that was altered is detected.
 */
export const summedJson = (value: object): Buffer => {
  const sum = createHash("sha256").update(canonicalBytes(value)).digest("hex");
  return canonicalBytes({ ...value, sum });
};

/** Parses a blob. @throws {VaultDamageError} unless its bytes are those of {@link summedJson}. */
export const parseSummed = <T>(name: string, body: Uint8Array, schema: z.ZodType<T>): T => {
  const value = parseVaultJson(name, body, schema);
  const { sum, ...rest } = Object(JSON.parse(Buffer.from(body).toString("utf8"))) as Record<string, unknown>;
  if (sum === undefined) throw new VaultDamageError("has no sum", { blob: name });
  if (!summedJson(rest).equals(body)) throw new VaultDamageError("does not match its sum", { blob: name });
  return value;
};
