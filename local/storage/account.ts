/** Azurite's one account and its published key. Source: Azurite README, "Default Storage Account" (read 2026-11). */
export const ACCOUNT_NAME = "devstoreaccount1";
const ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

export const blobEndpoint = (serverUrl: string): string => `${serverUrl}/${ACCOUNT_NAME}`;

/** What `BlobServiceClient.fromConnectionString` wants for the storage at `serverUrl`. */
export const connectionString = (serverUrl: string): string =>
  [
    "DefaultEndpointsProtocol=http",
    `AccountName=${ACCOUNT_NAME}`,
    `AccountKey=${ACCOUNT_KEY}`,
    `BlobEndpoint=${blobEndpoint(serverUrl)}`,
  ].join(";");
