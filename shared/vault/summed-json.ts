import { createHash } from "node:crypto";
import type * as z from "zod";
import { canonicalBytes } from "./canonical.ts";
import { parseVaultJson, VaultDamageError } from "./damage.ts";

/**
 * Canonical JSON with a member `sum`, the SHA-256 of the same without it: equal values are equal blobs, and one that was
 * altered gives itself away.
 */
export const summedJson = (value: object): Buffer => {
  const sum = createHash("sha256").update(canonicalBytes(value)).digest("hex");
  return canonicalBytes({ ...value, sum });
};

/** Parses a blob; {@link VaultDamageError} unless its bytes are those that {@link summedJson} gave it. */
export const parseSummed = <T>(name: string, body: Uint8Array, schema: z.ZodType<T>): T => {
  const value = parseVaultJson(name, body, schema);
  const { sum, ...rest } = Object(JSON.parse(Buffer.from(body).toString("utf8"))) as Record<string, unknown>;
  if (sum === undefined) throw new VaultDamageError("carries no sum", { blob: name });
  if (!summedJson(rest).equals(body)) throw new VaultDamageError("is not what its sum was made of", { blob: name });
  return value;
};
