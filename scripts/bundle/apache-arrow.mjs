/** A format for lists of blobs that the app never asks for; XML is what it gets. */
export const tableFromIPC = () => {
  throw new Error("Lists of blobs in Apache Arrow are not in the bundle");
};
