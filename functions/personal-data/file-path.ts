/** Where a file of an export is read: its slashes stay slashes. */
export const filePath = (id: string, name: string): string =>
  `/api/personal-data-exports/${id}/files/${name.split("/").map(encodeURIComponent).join("/")}`;
