import path from "node:path";
import { guidOf, idCodec } from "./ids.ts";
import type { SeedMailbox, SeedUser } from "./seed.ts";
import { openJournal } from "./state/journal.ts";
import { type MailboxState, mailboxState } from "./state/mailbox-state.ts";
import { Change } from "./state/records.ts";

export type UserPurpose = "user" | "linked" | "shared" | "room" | "equipment" | "others";

/** A mailbox as it is addressed. An archive and its auxiliary share one state: folders only seem to be elsewhere. */
export interface HostedMailbox {
  readonly id: string;
  readonly kind: "primary" | "archive" | "auxiliary";
  readonly user: SeedUser;
  readonly state: MailboxState;
  /** Keys of the archive folders that live in the auxiliary archive. */
  readonly auxiliaryFolders: Set<string>;
  /** Where an archive's auxiliary folders are. */
  readonly auxiliary?: HostedMailbox;
}

export interface DirectoryUser {
  readonly user: SeedUser;
  readonly purpose: UserPurpose;
  readonly mailbox?: HostedMailbox;
  readonly archive?: HostedMailbox;
}

export interface Hosting {
  readonly purpose?: UserPurpose;
  readonly archive?: { readonly seed: SeedMailbox; readonly auxiliaryFolders: readonly string[] };
}

export interface Mailboxes {
  readonly host: (seed: SeedMailbox, hosting?: Hosting) => DirectoryUser;
  readonly addUser: (user: SeedUser) => void;
  readonly setGroup: (id: string, members: readonly string[]) => void;
  readonly users: () => readonly DirectoryUser[];
  /** By id or user principal name. */
  readonly user: (idOrName: string) => DirectoryUser | undefined;
  /** A group's users at any depth, each once. */
  readonly group: (id: string) => readonly DirectoryUser[] | undefined;
  readonly byId: (mailboxId: string) => HostedMailbox | undefined;
  readonly all: () => readonly HostedMailbox[];
  readonly close: () => void;
}

const NO_FOLDERS: readonly string[] = [];

/** @guess What lies below a folder of an auxiliary archive lies there too. */
const withDescendants = (seed: SeedMailbox, keys: readonly string[]): readonly string[] => {
  const below = seed.folders.filter(({ key, parentKey }) => keys.includes(parentKey ?? "") && !keys.includes(key));
  return below.length === 0 ? keys : withDescendants(seed, [...keys, ...below.map(({ key }) => key)]);
};

/** The tenant's users, groups and mailboxes. With a state directory, each mailbox replays its journal when hosted. */
export const createMailboxes = (tenantId: string, stateDir: string | undefined): Mailboxes => {
  const users = new Map<string, DirectoryUser>();
  const groups = new Map<string, readonly string[]>();
  const mailboxes = new Map<string, HostedMailbox>();
  const closers: (() => void)[] = [];

  const stateOf = (id: string, guid: string, seed: SeedMailbox): MailboxState => {
    if (stateDir === undefined) return mailboxState(seed, idCodec(id), () => {});
    const { entries, journal } = openJournal(path.join(stateDir, "mailboxes", `${guid}.jsonl`), Change);
    closers.push(journal.close);
    let replaying = true;
    const state = mailboxState(seed, idCodec(id), (change) => {
      if (!replaying) journal.append(change);
    });
    for (const change of entries) state.commit(change);
    replaying = false;
    return state;
  };

  const add = (
    seed: SeedMailbox,
    kind: HostedMailbox["kind"],
    folders: readonly string[],
    shared?: { state?: MailboxState; auxiliary?: HostedMailbox },
  ): HostedMailbox => {
    const guid = guidOf(`${kind} ${seed.user.id}`);
    const id = `MBX:${guid}@${tenantId}`;
    const state = shared?.state ?? stateOf(id, guid, seed);
    const mailbox: HostedMailbox = {
      id,
      kind,
      user: seed.user,
      state,
      auxiliaryFolders: shared?.auxiliary?.auxiliaryFolders ?? new Set(folders),
      ...(shared?.auxiliary && { auxiliary: shared.auxiliary }),
    };
    mailboxes.set(id.toLowerCase(), mailbox);
    return mailbox;
  };

  const addArchive = ({ seed, auxiliaryFolders }: NonNullable<Hosting["archive"]>): HostedMailbox => {
    if (auxiliaryFolders.length === 0) return add(seed, "archive", NO_FOLDERS);
    const guid = guidOf(`archive ${seed.user.id}`);
    const state = stateOf(`MBX:${guid}@${tenantId}`, guid, seed);
    const auxiliary = add(seed, "auxiliary", withDescendants(seed, auxiliaryFolders), { state });
    return add(seed, "archive", NO_FOLDERS, { state, auxiliary });
  };

  const find = (idOrName: string) => {
    const name = idOrName.toLowerCase();
    return users.get(name) ?? [...users.values()].find(({ user }) => user.userPrincipalName.toLowerCase() === name);
  };

  /** A member is a user by id or name, or a group, whose members then count as this one's. */
  const membersOf = (id: string, seen = new Set<string>()): readonly DirectoryUser[] | undefined => {
    const members = groups.get(id.toLowerCase());
    if (members === undefined || seen.has(id.toLowerCase())) return members && [];
    seen.add(id.toLowerCase());
    return [...new Set(members.flatMap((name) => find(name) ?? membersOf(name, seen) ?? []))];
  };

  return {
    host: (seed, hosting = {}) => {
      if (find(seed.user.id)?.mailbox !== undefined) {
        throw new Error(`User ${seed.user.id} already has a mailbox`);
      }
      const hosted: DirectoryUser = {
        user: seed.user,
        purpose: hosting.purpose ?? "user",
        mailbox: add(seed, "primary", NO_FOLDERS),
        ...(hosting.archive && { archive: addArchive(hosting.archive) }),
      };
      users.set(seed.user.id.toLowerCase(), hosted);
      return hosted;
    },
    addUser: (user) => void users.set(user.id.toLowerCase(), { user, purpose: "user" }),
    setGroup: (id, members) => void groups.set(id.toLowerCase(), members),
    users: () => [...users.values()],
    user: find,
    group: (id) => membersOf(id),
    byId: (mailboxId) => mailboxes.get(mailboxId.toLowerCase()),
    all: () => [...mailboxes.values()],
    close: () => {
      for (const close of closers) close();
    },
  };
};
