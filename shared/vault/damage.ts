/** The vault does not hold what it says it holds. No retry cures it; the message names the blob and, if any, the item. */
export class VaultDamageError extends Error {
  readonly blob: string;
  readonly itemId: string | undefined;
  readonly problem: string;

  constructor(problem: string, where: { blob: string; itemId?: string; cause?: unknown }) {
    const item = where.itemId === undefined ? "" : `, item ${where.itemId}`;
    super(`${where.blob}${item}: ${problem}`, { cause: where.cause });
    this.name = "VaultDamageError";
    this.blob = where.blob;
    this.itemId = where.itemId;
    this.problem = problem;
  }
}
