/**
 * Begins each when the statement before it is on its way, so that its parameters are made while Postgres works: within one transaction, statements run in the order in which they are begun. Of
 * thousands of rows, parameters take as long as the statement. Ends when none of them is under way any more. Throws what failed first: whatever comes after it in an
 * aborted transaction fails as well.
 */
export async function sideBySide<T extends readonly unknown[]>(...works: { [K in keyof T]: () => Promise<T[K]> }): Promise<T> {
  let failure: { error: unknown } | undefined;
  const under: Promise<unknown>[] = [];
  for (const work of works) {
    under.push(
      work().catch((error: unknown) => {
        failure ??= { error };
      }),
    );
    await sent();
  }
  const results = await Promise.all(under);
  if (failure) throw failure.error;
  return results as unknown as T;
}

/** When all microtasks are done, with which a statement comes from its builder to the socket. */
const sent = (): Promise<void> => new Promise((go) => process.nextTick(go));
