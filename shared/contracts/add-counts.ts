/** Adds two records of counts, field by field. Fields that are not numbers are those of the first. */
export const addCounts = <T extends object>(one: T, other: NoInfer<T>): T => {
  const sums = Object.entries(one).map(([name, value]) => [
    name,
    typeof value === "number" ? value + Number(other[name as keyof T]) : value,
  ]);
  return Object.fromEntries(sums) as T;
};
