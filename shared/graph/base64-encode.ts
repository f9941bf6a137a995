/** The length of `bytes` bytes in base64 characters. */
export const base64Length = (bytes: number): number => Math.ceil(bytes / 3) * 4;

/** Encodes a stream as standard base64. */
export async function* encodeBase64(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of source) {
    const all =
      rest.length === 0 ? Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength) : Buffer.concat([rest, piece]);
    const whole = all.length - (all.length % 3);
    if (whole > 0) yield all.toString("base64", 0, whole);
    rest = Buffer.from(all.subarray(whole));
  }
  if (rest.length > 0) yield rest.toString("base64");
}
