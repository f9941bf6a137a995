import { badRequest } from "./errors.ts";

/** Most characters of an import body outside its data. */
const MAX_FRAME = 64 * 1024;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MAX_ESCAPE_CHARS = 6;

/**
 * Reads an import body while it arrives: the value of `Data` is decoded piece by piece and handed over; the rest is
 * returned as parsed JSON, with `Data` empty. Refuses what is no JSON or no standard base64.
 */
export const readImportBody = async (
  source: AsyncIterable<Buffer>,
  onData: (bytes: Buffer) => Promise<void>,
): Promise<unknown> => {
  const frame = jsonFrame();
  const decoder = base64Decoder();
  let held: Buffer = Buffer.alloc(0);

  for await (const chunk of source) {
    let rest: Buffer = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    held = Buffer.alloc(0);
    while (rest.length > 0) {
      if (!frame.inData()) {
        rest = rest.subarray(frame.read(rest));
        continue;
      }
      const end = rest.indexOf(QUOTE);
      const text = rest.subarray(0, end < 0 ? rest.length : end);
      const usable = end < 0 ? beforeOpenEscape(text) : text.length;
      const bytes = decoder.decode(unescaped(text.subarray(0, usable)));
      if (bytes.length > 0) await onData(bytes);
      if (end < 0) {
        held = Buffer.from(text.subarray(usable));
        rest = Buffer.alloc(0);
      } else {
        decoder.finish();
        frame.leaveData();
        rest = rest.subarray(end + 1);
      }
    }
  }
  return parseFrame(frame.text());
};

const parseFrame = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest("The body is not JSON.");
  }
};

/** Where an escape begins that the next chunk may complete. */
const beforeOpenEscape = (text: Buffer): number => {
  const last = text.lastIndexOf(BACKSLASH);
  return last >= 0 && last > text.length - MAX_ESCAPE_CHARS ? last : text.length;
};

/** Some JSON writers escape `/` and `+`. */
const unescaped = (text: Buffer): string => {
  const latin = text.toString("latin1");
  if (!text.includes(BACKSLASH)) return latin;
  try {
    return JSON.parse(`"${latin}"`);
  } catch {
    throw badRequest("Data is not a JSON string.");
  }
};

/** Follows the JSON text up to the value of a top-level `Data`, which it leaves out of what it keeps. */
const jsonFrame = () => {
  let kept = "";
  let depth = 0;
  let inString = false;
  let escaped = false;
  let stringStart = 0;
  let lastKey = "";
  let inData = false;

  const take = (character: string) => {
    kept += character;
    if (inString) {
      if (escaped) escaped = false;
      else if (character === "\\") escaped = true;
      else if (character === '"') {
        inString = false;
        lastKey = kept.slice(stringStart, -1);
      }
      return;
    }
    if (character === '"') {
      inString = true;
      stringStart = kept.length;
      if (depth === 1 && lastKey === "Data" && /:\s*"$/.test(kept)) inData = true;
    } else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    else if (character === ",") lastKey = "";
  };

  return {
    /** Reads up to the start of the data, and yields how many bytes it took. */
    read: (bytes: Buffer) => {
      let taken = 0;
      while (taken < bytes.length && !inData) take(String.fromCharCode(bytes[taken++] ?? 0));
      if (kept.length > MAX_FRAME) throw badRequest("The body is too large.");
      return taken;
    },
    inData: () => inData,
    leaveData: () => {
      inData = false;
      take('"');
    },
    text: () => kept,
  };
};

const base64Decoder = () => {
  let carry = "";
  let ended = false;
  return {
    decode: (text: string): Buffer => {
      const all = carry + text;
      const whole = all.length - (all.length % 4);
      carry = all.slice(whole);
      if (whole === 0) return Buffer.alloc(0);
      const group = all.slice(0, whole);
      const padding = group.endsWith("==") ? 2 : group.endsWith("=") ? 1 : 0;
      const bytes = Buffer.from(group, "base64");
      // Node skips what is not base64 and takes the URL alphabet too.
      const isStandard = bytes.length === (whole / 4) * 3 - padding && !group.includes("-") && !group.includes("_");
      if (!isStandard || ended) throw badRequest("Data is not standard base64.", "ErrorCorruptData");
      ended = padding > 0;
      return bytes;
    },
    finish: () => {
      if (carry !== "") throw badRequest("Data is not standard base64.", "ErrorCorruptData");
    },
  };
};
