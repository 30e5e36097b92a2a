import { stat } from 'node:fs/promises';

/** The files of the SQLite database that we have opened. */
export class DatabaseFile {
  /** @param inodes of its files; left out: it has none, in memory */
  constructor(private readonly inodes = new Map<string, string>()) {}

  /** @param suffixes of the files that go with it: its write-ahead log and the log's index */
  static async of(path: string, suffixes: string[]): Promise<DatabaseFile> {
    const paths = ['', ...suffixes].map((suffix) => path + suffix);
    return new DatabaseFile(
      new Map(await Promise.all(paths.map(async (each) => [each, await inodeOf(each)] as const))),
    );
  }

  /** @throws Error where one has been deleted or replaced: what is written goes where nobody will ever find it */
  async checkInPlace(): Promise<void> {
    for (const [path, inode] of this.inodes) {
      const now = await inodeOf(path).catch(() => undefined);
      if (now !== inode) throw new Error('a file of the database was deleted or replaced: restart the service');
    }
  }
}

async function inodeOf(path: string): Promise<string> {
  const { dev, ino } = await stat(path, { bigint: true });
  return `${dev}:${ino}`;
}
