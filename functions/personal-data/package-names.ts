import { RunId } from "../../shared/contracts/ids.ts";

const PACKAGE = /^dsr-(\d{8})t(\d{6})z-([a-z2-7]{6})(?:-([2-9]))?$/;

/** The container of an export. Later attempts have a number: Graph did not answer for the earlier containers. */
export const packageName = (exportId: RunId, attempt = 1): string =>
  `dsr-${exportId.toLowerCase()}${attempt === 1 ? "" : `-${attempt}`}`;

/** The export that a container belongs to; `undefined` for any other container. */
export const exportIdOf = (container: string): RunId | undefined => {
  const [, date, time, random] = PACKAGE.exec(container) ?? [];
  return RunId.safeParse(`${date}T${time}Z-${random}`).data;
};

/** The prefix of the files that the app adds to a package. All other files are Microsoft's. */
export const OWN_PREFIX = "_vault/";

/** The inventory: JSON lines, one for each other file of the package. */
export const INVENTORY_NAME = `${OWN_PREFIX}inventory.jsonl`;

/** The prefix of blobs of the vault, which keep their names: docs/vault-format.md says how to read them. */
export const MAILBOX_PREFIX = `${OWN_PREFIX}mailbox/`;

/** The file that Microsoft writes to test the container, before an export exists. */
export const REQUEST_INFO = "RequestInfo.json";

/**
 * Longest name of a blob.
 * Source: learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata.
 */
const MAX_NAME_CHARS = 1_024;

/**
 * Whether a name from outside is a valid file name in a package. A segment of dots would lead a URL out of the
 * container and into another one that the app may read.
 */
export const isFileName = (name: string): boolean =>
  name.length > 0 &&
  name.length <= MAX_NAME_CHARS &&
  /^\P{Surrogate}+$/u.test(name) &&
  !name.split(/[/\\]/).some((segment) => segment === "." || segment === "..");
