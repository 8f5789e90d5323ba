/**
 * Does several things in one transaction, whose statements the database takes one after another: while it is at one of them, what comes next is made ready. Ends when nothing is under
 * way any more. Throws what failed first; what failed after it did so because of it.
 */
export async function sideBySide(...work: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  await Promise.all(work.map((one) => one().catch((error: unknown) => void failures.push(error))));
  if (failures.length > 0) throw failures[0];
}
