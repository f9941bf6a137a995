const LONG_KEY_START = Buffer.from("0900000016000000", "hex");

/**
 * The form of a change key in the answer to an import, and in the documented update: 22 bytes. Listings and exports put
 * 8 bytes before them. Source: the samples of learn.microsoft.com/graph/import-exchange-mailbox-item, decoded.
 */
export const shortChangeKey = (changeKey: string): string => {
  const bytes = Buffer.from(changeKey, "base64");
  const isLong = bytes.length === 30 && bytes.subarray(0, LONG_KEY_START.length).equals(LONG_KEY_START);
  return isLong ? bytes.toString("base64", LONG_KEY_START.length) : changeKey;
};

/**
 * Whether two change keys are of one version of an item, whichever form they have. Documented: an item that is changed
 * gets another one. Inferred: that of an import's answer is the one that listings show while nobody changes the item.
 */
export const isSameVersion = (one: string, other: string): boolean => shortChangeKey(one) === shortChangeKey(other);
