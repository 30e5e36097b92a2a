import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as api from '../src/index.js';
import { resolveOptions as resolveGuardingOptions } from '../src/protection/resource-server/resource-server.options.js';
import { resolveOptions } from '../src/base/auth.options.js';
import { CATALOGUE } from '../src/wings.js';
import { GrantService } from '../src/token/grant.service.js';
import { ISSUER, SECRET, startService } from './service.js';

const ROOT = resolve(__dirname, '..');
const readme = readFileSync(resolve(ROOT, 'README.md'), 'utf8');

/** The rows of the table below a heading: cells without their back-ticks. */
function tableBelow(heading: string, first: string): string[][] {
  const section = readme.slice(readme.indexOf(`\n${heading}\n`)).split(/\n##? /)[1]!;
  const lines = section.split('\n');
  const start = lines.findIndex((line) => line.startsWith('|') && line.includes(first));
  const rows: string[][] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith('|')) break;
    rows.push(
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.replaceAll('`', '').trim()),
    );
  }
  return rows;
}

describe('the README', () => {
  it('lists every error with its status, codes and reasons', () => {
    const rows = tableBelow('## Errors', '`error_code`').map(([error, status, code, errorCode, , reasons]) => ({
      error,
      status: Number(status),
      code: Number(code),
      error_code: Number(errorCode),
      reasons: reasons!.split(' '),
    }));
    const catalogue = Object.values(CATALOGUE).map(({ error, status, code, error_code, reasons }) => ({
      error,
      status,
      code,
      error_code,
      reasons: Object.keys(reasons),
    }));
    expect(rows).toEqual(catalogue);
  });

  it('has error codes made of the status and a serial number, none twice', () => {
    const rows = Object.values(CATALOGUE);
    expect(rows.map((row) => Math.floor(row.error_code / 100))).toEqual(rows.map((row) => row.status));
    expect(new Set(rows.map((row) => row.error_code)).size).toBe(rows.length);
  });

  it('lists every setting that is read, and no other', () => {
    const source = ['src/service/settings.ts'].map((file) => readFileSync(resolve(ROOT, file), 'utf8')).join('');
    const read = [...source.matchAll(/(?:read\(|env\[)'([A-Z_]+)'/g)].map((match) => match[1]!);
    const listed = tableBelow('## Settings', 'variable').flatMap(([names]) => names!.split(', '));
    expect(listed.sort()).toEqual([...new Set(read)].sort());
  });

  it('lists every option of the module with its default', () => {
    const options: Record<string, unknown> = { ...resolveOptions({ issuer: ISSUER, secret: SECRET }) };
    delete options['domain']; // follows from the issuer
    const rows = tableBelow('## As a module', '| option').flatMap(([names, fallback]) =>
      names!.split(', ').map((name) => [name, fallback!] as const),
    );
    expect(rows.map(([name]) => name).sort()).toEqual(
      [
        ...Object.keys(options),
        'dataSource',
        'routePrefix',
        'isGlobal',
        'openapi',
        'without',
        'imports',
        'providers',
      ].sort(),
    );
    for (const [name, fallback] of rows.filter(([, text]) => /^\d+$/.test(text))) {
      expect([name, options[name]]).toEqual([name, Number(fallback)]);
    }
  });

  it('lists every option of a service that only guards, with its default', () => {
    const { liveFor } = resolveGuardingOptions({ issuer: ISSUER, audience: ISSUER });
    const rows = tableBelow('## As a module', '| of `Resource').map(([name, fallback]) => [name, fallback]);
    expect(rows).toEqual([
      ['issuer', '–'],
      ['audience', '–'],
      ['url', 'the audience'],
      ['client', '–'],
      ['liveFor', String(liveFor)],
      ['allowHttp', 'false'],
      ['isGlobal', 'false'],
      ['providers', '–'],
    ]);
  });

  it('lists every grant', async () => {
    const service = await startService();
    const listed = tableBelow('## Grants', '`grant_type`').map(([name]) => name!.split(',')[0]);
    expect(listed.slice(0, -1).sort()).toEqual([...service.app.get(GrantService).grantTypes].sort());
    await service.close();
  });

  it('names tests that there are, for every countermeasure of RFC 9700', () => {
    const lines = readFileSync(resolve(ROOT, 'docs/rfc9700.md'), 'utf8').split('\n');
    const shown = lines.filter((line) => line.startsWith('| §')).map((line) => line.split('|').at(-2)!);
    for (const proof of shown.flatMap((cell) => cell.split(';'))) {
      const [file, names = ''] = proof.trim().split(/: ?(.*)/s);
      const source = readFileSync(resolve(ROOT, `test/${file}.e2e-spec.ts`), 'utf8');
      for (const [, name] of names.matchAll(/"([^"]+)"/g)) expect([file, source.includes(name!)]).toEqual([file, true]);
    }
  });

  it('names only exports that there are', () => {
    const types = ['Grant'];
    const named = tableBelow('## As a module', '| exported').flatMap(([names]) => names!.split(', '));
    for (const name of named.filter((one) => !types.includes(one))) expect(api).toHaveProperty(name.replace('@', ''));
  });
});
