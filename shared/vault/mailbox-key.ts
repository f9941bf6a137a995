import { createHash } from "node:crypto";
import { BASE32, MailboxKey } from "../contracts/ids.ts";

/** The first 26 characters (130 bits) of the lower-case base32 SHA-256 of a text: a name that does not reveal it. */
export const hashName = (text: string): string => {
  const digest = createHash("sha256").update(text, "utf8").digest();
  const bits = Array.from(digest.subarray(0, 17), (byte) => byte.toString(2).padStart(8, "0")).join("");
  return Array.from({ length: 26 }, (_, i) => BASE32[Number.parseInt(bits.slice(5 * i, 5 * i + 5), 2)]).join("");
};

/** The hash of the mailbox id, which is case-sensitive. */
export const mailboxKey = (mailboxId: string): MailboxKey => MailboxKey.parse(hashName(mailboxId));
