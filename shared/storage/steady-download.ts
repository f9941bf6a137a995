import type { Readable } from "node:stream";

/** Longest wait for the next bytes of a download: with all resumes, a dead one ends in 90 s. Our own choice. */
export const IDLE_MS = 15_000;

/** How often a download goes on where it broke off. */
const MAX_RESUMES = 5;

/** What to ask for: the bytes from `offset` on, of the version that has this ETag if one is given. */
interface Wanted {
  readonly offset: number;
  readonly length?: number | undefined;
  readonly etag?: string;
}

/** The beginning of an answer. `bytes`: how many it will have. */
export interface Download {
  readonly body: Readable;
  readonly bytes: number;
  readonly etag: string;
  /** When storage answered, by its own clock, in milliseconds since the epoch. */
  readonly at?: number | undefined;
}

export type OpenDownload = (wanted: Wanted, signal: AbortSignal) => Promise<Download>;

/**
 * Opens a download that notices when bytes stop coming, and goes on with the rest after that or after a cut, in the
 * version of the blob that it began with. The library of Blob Storage would wait for ever, and gives up at a reset.
 *
 * @throws the error of the last try, here or while the body is read.
 */
export const steadyDownload = async (
  open: OpenDownload,
  { offset, length }: Pick<Wanted, "offset" | "length">,
  idleMs: number,
): Promise<{ readonly body: AsyncIterable<Uint8Array>; readonly etag: string; readonly at: number | undefined }> => {
  let resumes = 0;

  /** Errors of an answer are thrown: the library has tried again. */
  const begin = async (wanted: Wanted): Promise<Download> => {
    for (;;) {
      const idle = new AbortController();
      const timer = setTimeout(() => idle.abort(), idleMs);
      try {
        return await open(wanted, idle.signal);
      } catch (error) {
        if (!idle.signal.aborted || resumes === MAX_RESUMES) throw error;
        resumes += 1;
      } finally {
        clearTimeout(timer);
      }
    }
  };

  const first = await begin({ offset, length });
  const { etag, bytes, at } = first;

  const read = async function* (): AsyncGenerator<Uint8Array> {
    let { body } = first;
    for (let left = bytes; ; ) {
      try {
        for await (const piece of unlessIdle(body, idleMs)) {
          left -= piece.length;
          yield piece;
        }
        return;
      } catch (error) {
        if (left === 0) return;
        if (resumes === MAX_RESUMES) throw error;
        resumes += 1;
      }
      ({ body } = await begin({ offset: offset + bytes - left, length: left, etag }));
    }
  };
  return { body: read(), etag, at };
};

/** Storage sent the beginning of a blob, and then nothing, again and again. */
export class StalledDownloadError extends Error {
  override readonly name = "StalledDownloadError";
}

/** Breaks a body off when its next piece does not come. The time that the consumer takes does not count. */
async function* unlessIdle(body: Readable, idleMs: number): AsyncGenerator<Uint8Array> {
  const startTimer = () =>
    setTimeout(
      () => body.destroy(new StalledDownloadError(`The download stopped: no bytes came for ${idleMs / 1000} s`)),
      idleMs,
    );
  let timer = startTimer();
  try {
    for await (const piece of body) {
      clearTimeout(timer);
      yield piece;
      timer = startTimer();
    }
  } finally {
    clearTimeout(timer);
  }
}
