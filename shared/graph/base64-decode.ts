import { BrokenAnswerError } from "./broken-answer.ts";

/** Bytes of base64 text that decode to whole bytes. */
const GROUP = 4;

const ascii = (text: Buffer): string => text.toString("latin1");

const padding = (text: Buffer): number => (text.at(-1) === 0x3d ? (text.at(-2) === 0x3d ? 2 : 1) : 0);

const DASH = 0x2d;
const UNDERSCORE = 0x5f;

const decodeGroups = (text: Buffer): Buffer => {
  const bytes = Buffer.from(ascii(text), "base64");
  // Node skips characters that are not base64, and accepts those of base64url; here each of them is damage.
  const whole = bytes.length === (text.length / GROUP) * 3 - padding(text);
  if (!whole || text.includes(DASH) || text.includes(UNDERSCORE)) throw new BrokenAnswerError("the data is not base64");
  return bytes;
};

/** Decodes standard base64 as it arrives. Throws on any character outside the alphabet, and on a cut-off end. */
export async function* decodeBase64(text: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  let padded = false;
  for await (const piece of text) {
    const all = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const whole = all.length - (all.length % GROUP);
    if (padded && all.length > 0) throw new BrokenAnswerError("the data is not base64: it goes on after its end");
    if (whole > 0) yield decodeGroups(all.subarray(0, whole));
    padded = whole > 0 && padding(all.subarray(0, whole)) > 0;
    // A copy: the piece's memory belongs to the stream.
    rest = Buffer.from(all.subarray(whole));
  }
  if (rest.length > 0) throw new BrokenAnswerError("the data is not base64: its last group is cut off");
}
