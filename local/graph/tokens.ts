import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";

/** Turns values into opaque tokens and back; the same secret reads them after a restart. */
export interface TokenSealer {
  readonly seal: (value: unknown) => string;
  /** Yields undefined for anything that `seal` did not make, or that was altered. */
  readonly open: (token: string) => unknown;
}

export const tokenSealer = (secret: string): TokenSealer => {
  const key = createHash("sha256").update(`tokens:${secret}`).digest();
  return {
    seal: (value) => {
      const iv = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", key, iv);
      const sealed = Buffer.concat([cipher.update(JSON.stringify(value)), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString("base64url");
    },
    open: (token) => {
      const bytes = Buffer.from(token, "base64url");
      if (bytes.length < 29 || bytes.toString("base64url") !== token) return undefined;
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12), { authTagLength: 16 });
      decipher.setAuthTag(bytes.subarray(12, 28));
      const text = decipher.update(bytes.subarray(28)).toString();
      try {
        decipher.final();
      } catch {
        return undefined;
      }
      return JSON.parse(text);
    },
  };
};
