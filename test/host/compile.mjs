// node compile.mjs <library> <project>...
//
// Compiles each project, for the platforms that are installed beside the library where it knows several, to ESM or
// CommonJS, as its package.json says, and prints what the compiler says against it and the declarations of the library.
// What it says of other packages' declarations is not ours to judge; that, and that both compilations parse those but
// once, is why this is not tsc.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const OPTIONS = {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  types: ['node'],
  strict: true,
  strictPropertyInitialization: false,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  useDefineForClassFields: false,
  skipLibCheck: false,
};

const parsed = new Map();

function compile(project, library) {
  const options = { ...OPTIONS, rootDir: join(project, 'src'), outDir: join(project, 'dist') };
  const host = ts.createCompilerHost(options);
  host.getCurrentDirectory = () => project;
  const { getSourceFile } = host;
  host.getSourceFile = (name, ...rest) => {
    if (!name.includes('/node_modules/')) return getSourceFile(name, ...rest);
    if (!parsed.has(name)) parsed.set(name, getSourceFile(name, ...rest));
    return parsed.get(name);
  };
  const mains = ['express', 'fastify']
    .filter((platform) => existsSync(join(library, '../@nestjs', `platform-${platform}`)))
    .map((platform) => join(options.rootDir, `on-${platform}.ts`))
    .filter((file) => existsSync(file));
  const program = ts.createProgram(mains.length > 0 ? mains : [join(options.rootDir, 'main.ts')], options, host);
  const within = (directory) => program.getSourceFiles().filter((file) => file.fileName.startsWith(`${directory}/`));
  const complaints = [...within(project), ...within(library)].flatMap((file) => [
    ...program.getSyntacticDiagnostics(file),
    ...program.getSemanticDiagnostics(file),
  ]);
  for (const file of within(project)) program.emit(file); // all at once, it would check every package
  return ts.formatDiagnostics([...program.getOptionsDiagnostics(), ...complaints], host);
}

const [library, ...projects] = process.argv.slice(2);
for (const project of projects) process.stdout.write(compile(project, library));
