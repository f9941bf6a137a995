/** An item is known by its folder and its id together. */
export interface ItemKey {
  readonly folderId: string;
  readonly id: string;
}

/** One string for an item, to hold it by. No id contains a line feed. */
export const itemKey = ({ folderId, id }: ItemKey): string => `${folderId}\n${id}`;
