export const DEFAULT_DATABASE_URL = 'sqlite:data/auth.sqlite';

/** What DATABASE_URL says. */
export type DatabaseUrl =
  | { type: 'sqlite'; file: string }
  | { type: 'postgres'; url: string; schema: string | undefined }
  | { type: 'mysql' | 'mariadb'; server: MysqlServer; tls: boolean };

interface MysqlServer {
  host: string;
  port: number;
  username: string;
  password: string;
  database: string;
}

const EXPECTED = 'must be sqlite:<file>, postgres://<user>@<host>/<database> or mysql://…';

/**
 * Reads a database's URL. Either of mysql: and mariadb: works on both servers. What pg knows may follow a PostgreSQL one
 * (`?sslmode=verify-full`), and `schema`; a MySQL one may say `?ssl=true`.
 * @throws Error that says what is wrong with the URL, without repeating it: it has a password in it
 */
export function databaseOf(text: string): DatabaseUrl {
  const file = /^sqlite:(?!:memory:)(?!\/\/)(.+)$/.exec(text)?.[1];
  if (file !== undefined) return { type: 'sqlite', file };
  if (!/^(postgres(ql)?|mysql|mariadb):\/\//.test(text) || !URL.canParse(text)) throw new Error(EXPECTED);
  const url = new URL(text);
  const { searchParams } = url;
  const isSocket = url.protocol.startsWith('postgres') && searchParams.has('host');
  if ((url.hostname === '' && !isSocket) || url.pathname.length < 2) throw new Error(EXPECTED);
  if (url.protocol.startsWith('postgres')) {
    const schema = searchParams.get('schema') ?? undefined;
    searchParams.delete('schema'); // pg would take it for a setting of the server
    return { type: 'postgres', url: url.href, schema };
  }
  const unknown = [...searchParams.keys()].find((name) => name !== 'ssl');
  if (unknown !== undefined)
    throw new Error(`has a parameter ${unknown}; a mysql:// URL may have ssl=true, and no other`);
  const server = {
    host: url.hostname.replace(/^\[(.+)\]$/, '$1'),
    port: Number(url.port || 3306),
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
  };
  const type = url.protocol === 'mariadb:' ? 'mariadb' : 'mysql';
  return { type, server, tls: searchParams.get('ssl') === 'true' };
}
