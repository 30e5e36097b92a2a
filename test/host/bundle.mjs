// node bundle.mjs esbuild|webpack|rspack <entry> <folder>
//
// Puts an application and everything it imports into one folder, as ES modules; the bundler is found beside the entry.
// What is left out is native, or need not be there; the README has the same list.
import { createRequire } from 'node:module';

const [bundler, entry, folder] = process.argv.slice(2);
const require = createRequire(entry);

const OUTSIDE = [
  ...['better-sqlite3', 'sqlite3', 'pg', 'mysql2', 'ioredis', '@node-rs/argon2'],
  ...['@nestjs/microservices', '@nestjs/microservices/microservices-module.js'],
  ...['@nestjs/websockets', '@nestjs/websockets/socket-module.js'],
  '@nestjs/swagger',
  ...['class-transformer', 'class-transformer/storage.js'],
];

if (bundler === 'esbuild') {
  await require('esbuild').build({
    entryPoints: [entry],
    outfile: `${folder}/main.mjs`,
    bundle: true,
    platform: 'node',
    format: 'esm',
    keepNames: true,
    external: OUTSIDE,
    banner: { js: "import { createRequire as of } from 'node:module'; const require = of(import.meta.url);" },
    logLevel: 'error',
  });
} else {
  const pack = bundler === 'webpack' ? require('webpack') : require('@rspack/core').rspack;
  const config = {
    entry,
    mode: 'none',
    target: 'node20',
    externals: OUTSIDE,
    externalsType: 'import',
    experiments: { outputModule: true },
    output: { path: folder, filename: 'main.mjs', module: true, chunkFormat: 'module', library: { type: 'module' } },
  };
  const stats = await new Promise((resolve, reject) => {
    pack(config, (error, result) => (error ? reject(error) : resolve(result)));
  });
  const { errors } = stats.toJson({ all: false, errors: true });
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'));
}
