import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const ALGORITHM = "aes-256-gcm";
/** 96 bits, as NIST SP 800-38D 5.2.1.1 recommends for GCM. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts short secrets, so that they may be stored in a job's history. */
export interface Sealer {
  /** Nonce, ciphertext and tag in base64url. `purpose` is authenticated: a value opens for its own purpose only. */
  seal(secret: string, purpose: string): string;
  /** @throws {Error} when the text was altered, or sealed under another key or for another purpose. */
  open(sealed: string, purpose: string): string;
}

export const sealer = (key: Buffer): Sealer => ({
  seal: (secret, purpose) => {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(purpose));
    return Buffer.concat([nonce, cipher.update(secret, "utf8"), cipher.final(), cipher.getAuthTag()]).toString(
      "base64url",
    );
  },
  open: (sealed, purpose) => {
    const bytes = Buffer.from(sealed, "base64url");
    try {
      const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(-TAG_BYTES));
      return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
    } catch {
      throw new Error(`A sealed value for ${purpose} does not open: was SEAL_KEY changed while the job ran?`);
    }
  },
});
