import { readOutlookFile } from "./pst/outlook-file.ts";
import type { SeedFolder, SeedMailbox, SeedUser } from "./seed.ts";

/** Reads Outlook files into one mailbox: the first as it is, the folders of each further one beside, numbered. */
export const loadOutlookFiles = (files: readonly string[], user: SeedUser): SeedMailbox => {
  const parts = files.map((file) => readOutlookFile(file, user));
  const places = new Map(
    parts.flatMap((part, number) =>
      part.folders.map((folder) => {
        const key = numbered(number, folder.key);
        return [key, { part, folder, placed: number === 0 ? folder : beside(number, folder) }] as const;
      }),
    ),
  );
  return {
    user,
    folders: [...places.values()].map(({ placed }) => placed),
    item: (folderKey, index) => {
      const place = places.get(folderKey);
      if (place === undefined) throw new RangeError(`The Outlook files have no folder ${folderKey}`);
      return place.part.item(place.folder.key, index);
    },
  };
};

const numbered = (number: number, key: string) => (number === 0 ? key : `${number}:${key}`);

const beside = (number: number, folder: SeedFolder): SeedFolder => {
  const { parentKey, wellKnownName: _, ...rest } = folder;
  const isTop = parentKey === undefined;
  return {
    ...rest,
    key: numbered(number, folder.key),
    displayName: isTop ? `${folder.displayName} ${number + 1}` : folder.displayName,
    ...(!isTop && { parentKey: numbered(number, parentKey) }),
  };
};
