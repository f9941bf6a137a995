import type { TargetFolder } from "../restore-state.ts";

/**
 * Where the items of a folder of the snapshot go, by one name for all folders that are one in the target: its id where
 * it is there already, else its name below its parent's place.
 */
export const targetPlaces = (folders: readonly TargetFolder[]): ((sourceId: string) => string) => {
  const places = new Map<string, string>();
  const placeOf = (sourceId: string): string => places.get(sourceId) ?? sourceId;
  for (const { sourceId, liveId, parentSourceId = "", displayName } of folders)
    places.set(sourceId, liveId ?? `${placeOf(parentSourceId)}\n${displayName.toLowerCase()}`);
  return placeOf;
};
