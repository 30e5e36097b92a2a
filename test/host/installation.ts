import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);
const REPOSITORY = join(__dirname, '../..');
const MODULES = join(REPOSITORY, 'node_modules');

/** What the host's own package.json would list, beside nest-auth-service. */
const OF_THE_HOST = [
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/platform-express',
  '@nestjs/platform-fastify',
  '@nestjs/testing',
  '@nestjs/throttler',
  '@nestjs/typeorm',
  '@swc/jest',
  '@types/node',
  'class-validator',
  'reflect-metadata',
  'rxjs',
  'sqlite3',
  'typeorm',
];

/** The same for a host that npm installs, without what the table of hosts chooses. */
const HOSTS_OWN = ['@nestjs/throttler', '@types/node@20', 'class-validator', 'reflect-metadata', 'rxjs'];

/** Native packages, and where one that is built is found. */
const BUILT = [
  ['sqlite3', join(MODULES, 'sqlite3')],
  ...[process.env['TEST_BETTER_SQLITE3']].filter(Boolean).map((folder) => ['better-sqlite3', folder!] as const),
] as const;

/** `type` of a package.json. */
export type ModuleType = 'module' | 'commonjs';

interface Manifest {
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
}

/** A directory outside of the repository, with the packed package in its node_modules and a host beside it. */
export interface Installation {
  /** Where the package is. */
  package: string;
  /** Paths in the tarball. */
  files: string[];
  /**
   * Compiles the host to both kinds of module, type-checked against the package.
   * @returns the compiler's complaints about the two
   */
  compile(): Promise<string>;
  /** Starts the compiled host on a database of its own. */
  start(type: ModuleType, environment?: Record<string, string>): Promise<Host>;
  remove(): void;
}

export interface Host {
  url: string;
  /** @returns the exit code of a graceful stop; null: it had to be killed */
  stop(): Promise<number | null>;
}

/**
 * Packs what is built in dist/, and installs it.
 * @param packages what npm installs first, as a person would type it; undefined: those of the repository, without a network
 */
export async function install(packages?: string[]): Promise<Installation> {
  const root = mkdtempSync(join(tmpdir(), 'auth-host-'));
  const installed = join(root, 'node_modules', 'nest-auth-service');
  const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', root], {
    cwd: REPOSITORY,
  });
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
  const tarball = join(root, filename);
  const files = (await run('tar', ['-tzf', tarball])).stdout.trim().split('\n');
  if (packages) await npmInstall(root, tarball, packages);
  else await link(root, tarball, installed);
  let started = 0;
  return {
    package: installed,
    files,
    compile: () => compile(root, installed),
    start: (type, environment = {}) =>
      start(join(root, type), { HOST_DATABASE: join(root, `${++started}.sqlite`), ...environment }),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

async function npmInstall(root: string, tarball: string, packages: string[]): Promise<void> {
  writeFileSync(join(root, 'package.json'), JSON.stringify({ name: 'host', private: true }));
  const npm = (...names: string[]) =>
    run('npm', ['install', '--ignore-scripts', '--prefer-offline', ...names], { cwd: root });
  await npm(...packages, ...HOSTS_OWN);
  await npm(tarball);
  // built once, here, and not by a compiler in each host
  for (const [name, folder] of BUILT) {
    const own = join(root, 'node_modules', name);
    if (existsSync(own)) cpSync(join(folder, 'build'), join(own, 'build'), { recursive: true });
  }
}

/** Of the repository's packages nothing but what is declared: an import of anything else fails. */
async function link(root: string, tarball: string, installed: string): Promise<void> {
  const modules = join(root, 'node_modules');
  mkdirSync(installed, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Manifest;
  const declared = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)];
  for (const name of new Set([...declared, ...OF_THE_HOST])) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(MODULES, name), join(modules, name));
  }
}

async function compile(root: string, library: string): Promise<string> {
  const types: ModuleType[] = ['module', 'commonjs'];
  for (const type of types) {
    cpSync(join(__dirname, 'src'), join(root, type, 'src'), { recursive: true });
    writeFileSync(join(root, type, 'package.json'), JSON.stringify({ name: 'host', private: true, type }));
  }
  const projects = types.map((type) => join(root, type));
  return (await run('node', [join(__dirname, 'compile.mjs'), library, ...projects])).stdout;
}

async function start(project: string, environment: Record<string, string>): Promise<Host> {
  const child = spawn('node', [`dist/on-${environment['HOST_PLATFORM'] ?? 'express'}.js`], {
    cwd: project,
    timeout: 300_000, // whatever becomes of the test
    killSignal: 'SIGKILL',
    env: { PATH: process.env['PATH'], NO_COLOR: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const url = await listening(child, ended);
  return {
    url,
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      const code = await ended;
      clearTimeout(timer);
      return code;
    },
  };
}

/** @returns the address that a host says it listens at */
export async function listening(
  child: ChildProcess,
  ended = new Promise<number | null>((resolve) => child.once('close', resolve)),
): Promise<string> {
  let complaints = '';
  child.stderr!.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  const url = new Promise<string>((resolve) => {
    createInterface(child.stdout!).on('line', (line) => {
      if (line.startsWith('listening on ')) resolve(line.slice('listening on '.length));
    });
  });
  const failed = ended.then((code) => {
    throw new Error(`the host ended with ${code}: ${complaints}`);
  });
  return Promise.race([url, failed]);
}
