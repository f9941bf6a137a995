import { createHash } from "node:crypto";
import type { Sha256 } from "./records.ts";

const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);

/**
 * The Merkle tree hash of RFC 6962, section 2.1, over the parts' SHA-256 values as 32-byte leaves in manifest order.
 * The prefixes 0 and 1 distinguish a leaf from a node. Without any part, it is the SHA-256 of the empty string.
 */
export const merkleRoot = (partHashes: readonly Sha256[]): Sha256 => {
  if (partHashes.length === 0) return createHash("sha256").digest("hex");
  return treeHash(partHashes.map((hash) => digest(LEAF, Buffer.from(hash, "hex")))).toString("hex");
};

const treeHash = (leaves: readonly Buffer[]): Buffer => {
  const [only] = leaves;
  if (only !== undefined && leaves.length === 1) return only;
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return digest(NODE, treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split)));
};

const digest = (...pieces: Buffer[]): Buffer => createHash("sha256").update(Buffer.concat(pieces)).digest();
