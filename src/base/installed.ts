/**
 * A package that not everybody needs, loaded where it is used.
 * @param what it is, for whoever has to install it
 * @throws Error in one line, where it is not there
 */
export async function installed<T>(name: string, load: () => Promise<T>, what: string): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw error;
    throw new Error(`${what} is not installed: npm install ${name}`, { cause: error });
  }
}
