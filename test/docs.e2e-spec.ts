import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const ROOT = resolve(__dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const withoutCode = (text: string): string => text.replace(/^```[^]*?^```$/gm, '');

/** The anchors that a Markdown file's headings get, as GitHub makes them. */
function anchorsOf(path: string): string[] {
  const headings = [...withoutCode(read(path)).matchAll(/^#+ (.+)$/gm)].map((match) => match[1]!);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe.each(DOCUMENTS)('%s', (path) => {
  const text = withoutCode(read(path));

  it('has links that lead somewhere', () => {
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
    const dead = links.filter((link) => {
      if (/^https?:/.test(link)) return false;
      const [file, anchor] = link.split('#');
      const target = file ? relative(ROOT, resolve(ROOT, dirname(path), file)) : path;
      return !existsSync(join(ROOT, target)) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
    });
    expect(dead).toEqual([]);
  });

  it('has no two headings of one anchor', () => {
    const anchors = anchorsOf(path);
    expect(anchors.filter((anchor, i) => anchors.indexOf(anchor) !== i)).toEqual([]);
  });

  it('names files and folders that there are', () => {
    const named = [...text.matchAll(/`((?:src|test|docs|examples)\/[\w./-]+)`/g)].map((match) => match[1]!);
    const endings = ['', '.e2e-spec.ts', '.ts']; // `npx jest` takes a path without them
    const missing = named.filter((name) => !endings.some((ending) => existsSync(join(ROOT, name + ending))));
    expect(missing).toEqual([]);
  });
});

it.each([
  'embedded/src/app.module.ts',
  'embedded/src/first-accounts.ts',
  'second-service/src/app.module.ts',
  'second-service/src/orders.controller.ts',
])('the README shows %s of the examples', (file) => {
  expect(read('README.md')).toContain('```ts\n' + read(`examples/${file}`) + '```\n');
});

it('the README shows the module of errors that a host is tested with', () => {
  const [, ...shown] = read('test/host/src/lotto/lotto.module.ts').split(/\n\n(?=const)/);
  expect(shown).toHaveLength(1);
  expect(read('README.md')).toContain(shown[0]);
});
