type Env = Record<string, string | undefined>;

/** One wrong setting, in one line that begins with its name. */
export class SettingsError extends Error {
  constructor(name: string, problem: string) {
    super(`${name}: ${problem}`);
    this.name = 'SettingsError';
  }
}

/** What Kubernetes and Docker put there by themselves, where a service beside ours is called `auth`. */
const SERVICE_LINK = /_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_\w+)?$/;
const LINK_VALUE = /^(tcp|udp|sctp):\/\//;

/** Reads settings, and thereby knows which ones there are: what else begins with `AUTH_` is mistyped. */
export class Environment {
  private readonly known = new Set<string>();
  private wrong?: SettingsError;

  constructor(private readonly env: Env) {}

  /** The setting's value; the fallback where it is empty, not set, or wrong, which `check` tells. */
  read = <T, D>(name: string, fallback: D, parse: (text: string) => T): T | D => {
    this.known.add(name);
    const text = this.env[name]?.trim();
    if (text === undefined || text === '') return fallback;
    try {
      return parse(text);
    } catch (error) {
      this.wrong ??= new SettingsError(name, (error as Error).message);
      return fallback;
    }
  };

  /**
   * To be called when every setting was read.
   * @throws SettingsError for a name that nobody read, or else for the first value that is wrong
   */
  check(): void {
    const mistyped = Object.keys(this.env).find((name) => this.isMistyped(name));
    if (mistyped !== undefined) {
      throw new SettingsError(mistyped, `there is no such setting; did you mean ${this.nearest(mistyped)}?`);
    }
    if (this.wrong) throw this.wrong;
  }

  private isMistyped(name: string): boolean {
    if (!/^AUTH_/i.test(name) || this.known.has(name)) return false;
    return !SERVICE_LINK.test(name) && !LINK_VALUE.test(this.env[name] ?? '');
  }

  private nearest(mistyped: string): string {
    const ours = [...this.known].filter((name) => name.startsWith('AUTH_'));
    const distances = ours.map((name) => distance(mistyped.toUpperCase(), name));
    return ours[distances.indexOf(Math.min(...distances))]!;
  }
}

/** How many letters have to be put in, taken out or exchanged to make one word the other (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const letter of a) {
    const above = row;
    row = [above[0]! + 1];
    for (let j = 1; j <= b.length; j++) {
      row[j] = Math.min(row[j - 1]! + 1, above[j]! + 1, above[j - 1]! + (letter === b[j - 1] ? 0 : 1));
    }
  }
  return row[b.length]!;
}
