/** A range of bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

const RANGE = /^bytes=(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))$/;

/**
 * The range that a `Range` header asks for, cut to `size`. `undefined`: the whole; so too for several ranges, and for a
 * header that does not parse. `unsatisfiable`: the range is outside. Source: RFC 9110 14.1.2 and 14.2.
 */
export const byteRange = (header: string | null, size: number): ByteRange | "unsatisfiable" | undefined => {
  const [, first, last, suffix] = RANGE.exec(header?.replaceAll(" ", "") ?? "") ?? [];
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size);
    return length === 0 ? "unsatisfiable" : { offset: size - length, length };
  }
  if (first === undefined) return undefined;
  const offset = Number(first);
  const end = last === undefined || last === "" ? size - 1 : Number(last);
  if (end < offset && last !== "") return undefined;
  if (offset >= size) return "unsatisfiable";
  return { offset, length: Math.min(end, size - 1) - offset + 1 };
};
