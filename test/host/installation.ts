import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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

/** Packs what is built in dist/, and installs it without a network. */
export async function install(): Promise<Installation> {
  const root = mkdtempSync(join(tmpdir(), 'auth-host-'));
  const modules = join(root, 'node_modules');
  const installed = join(modules, 'nest-auth-service');
  mkdirSync(installed, { recursive: true });
  const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', root], {
    cwd: REPOSITORY,
  });
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
  const tarball = join(root, filename);
  await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  const files = (await run('tar', ['-tzf', tarball])).stdout.trim().split('\n');
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Manifest;
  // nothing but what is declared: an import of anything else fails
  const declared = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)];
  for (const name of new Set([...declared, ...OF_THE_HOST])) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(MODULES, name), join(modules, name));
  }
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
  const child = spawn('node', ['dist/main.js'], {
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

async function listening(child: ChildProcess, ended: Promise<number | null>): Promise<string> {
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
