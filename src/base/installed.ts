/**
 * A package that not everybody needs, loaded where it is used.
 * @param what it is, for whoever has to install it
 * @throws Error in one line, where it is not there
 */
export async function installed<T>(name: string, load: () => Promise<T>, what: string): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // npm 12 runs no install script that nobody approved
    if (message.startsWith('Could not locate the bindings file')) {
      const command = `npm install-scripts approve ${name} && npm rebuild ${name}`;
      throw new Error(`${what} was installed without its install script: ${command}`, { cause: error });
    }
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw error;
    throw new Error(`${what} is not installed: npm install ${name}`, { cause: error });
  }
}
