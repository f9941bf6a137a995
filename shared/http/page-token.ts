import { createHash } from "node:crypto";
import * as z from "zod";

const Token = z.object({ list: z.string(), at: z.unknown() });

/**
 * Tokens for the pages of one list, opaque to the caller: each has the position at which its page begins. `list` is
 * everything that determines the list. A token of another list, or a text that is not a token, reads as `undefined`.
 */
export const pageTokens = <T extends z.ZodType>(position: T, list: unknown) => {
  const listHash = createHash("sha256").update(JSON.stringify(list)).digest("base64url").slice(0, 12);
  return {
    write: (at: z.output<T>): string => Buffer.from(JSON.stringify({ list: listHash, at })).toString("base64url"),
    read: (text: string): z.output<T> | undefined => {
      const token = Token.safeParse(jsonOf(Buffer.from(text, "base64url").toString("utf8")));
      return token.success && token.data.list === listHash ? position.safeParse(token.data.at).data : undefined;
    },
  };
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
