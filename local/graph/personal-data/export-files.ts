/** A file of an export. */
export interface ExportFile {
  readonly name: string;
  readonly content: Buffer;
}

/**
 * @doc That an export has a user's data in OneDrive, and activity reports, and no mail. @guess Everything about the
 * files: their names, their number, what is in them.
 */
export const exportFile = (userId: string, index: number): ExportFile => {
  if (index % 2 === 0) {
    const text = `Note ${index}, kept in OneDrive by ${userId}.\n`.repeat(200 * (index + 1));
    return { name: `OneDrive/Documents/Note ${index + 1}.txt`, content: Buffer.from(text) };
  }
  const report = {
    user: userId,
    report: index,
    activities: Array.from({ length: 50 }, (_, n) => ({ n, kind: "view" })),
  };
  return { name: `Reports/activity-${index + 1}.json`, content: Buffer.from(JSON.stringify(report)) };
};
