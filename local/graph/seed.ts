/** Who owns a mailbox, as the directory tells it. */
export interface SeedUser {
  readonly id: string;
  readonly userPrincipalName: string;
  readonly displayName: string;
  readonly mail?: string;
  readonly accountEnabled: boolean;
  readonly licensed: boolean;
}

export interface SeedFolder {
  /** Unique within the mailbox and stable from one start to the next. The emulator makes the opaque id from it. */
  readonly key: string;
  /** Absent for a folder directly below the root. */
  readonly parentKey?: string;
  readonly displayName: string;
  /** Container class, such as `IPF.Note`. */
  readonly type: string;
  readonly wellKnownName?: string;
  readonly hidden?: boolean;
  /** A search folder. Its items are then not the ones that it finds, but its own. */
  readonly search?: boolean;
  readonly itemCount: number;
}

export interface SeedItem {
  /** Message class, such as `IPM.Note`. */
  readonly type: string;
  readonly subject?: string;
  readonly from?: string;
  /** ISO 8601 UTC, as all times here. */
  readonly received?: string;
  readonly internetMessageId?: string;
  readonly hasAttachments: boolean;
  /** 16 bytes as lower-case hex; copies of an item share it. */
  readonly searchKey: string;
  readonly categories: readonly string[];
  readonly created: string;
  readonly modified: string;
  /** Length of `payload`. */
  readonly payloadBytes: number;
  /** The item's content, the same bytes at every call; computed or read piece by piece. */
  payload(): Iterable<Uint8Array>;
}

/** The start of a mailbox, before anyone changes it: nothing here holds content in memory. */
export interface SeedMailbox {
  readonly user: SeedUser;
  readonly folders: readonly SeedFolder[];
  /** Item `index` (from 0 to `itemCount - 1`) of a folder. */
  item(folderKey: string, index: number): SeedItem;
}
