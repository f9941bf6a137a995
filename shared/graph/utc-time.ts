import * as z from "zod";

/** Without a zone, a time could mean any of two dozen hours. */
const WithZone = z.iso.datetime({ offset: true });

/** A time in UTC. `undefined` for one without a zone, and for one that records cannot hold: of a year beyond 9999. */
export const utcTime = (text: string): string | undefined => {
  if (!WithZone.safeParse(text).success) return undefined;
  const time = new Date(text).toISOString();
  return WithZone.safeParse(time).success ? time : undefined;
};
