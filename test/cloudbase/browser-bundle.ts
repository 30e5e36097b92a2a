import { readFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';

/**
 * One script for a page out of a package's CommonJS files as they were published, each in a function of its own.
 * Node's own modules are empty there.
 */
export function browserBundle(file: string, name: string): string {
  const modules = new Map<string, Record<string, string>>();
  const visit = (path: string): void => {
    if (modules.has(path)) return;
    const imports: Record<string, string> = {};
    modules.set(path, imports);
    const { resolve } = createRequire(path);
    for (const [, wanted] of readFileSync(path, 'utf8').matchAll(/\brequire\("([^"]+)"\)|\brequire\('([^']+)'\)/g)) {
      if (wanted === undefined || isBuiltin(wanted)) continue;
      visit((imports[wanted] = resolve(wanted)));
    }
  };
  visit(file);
  const functions = [...modules].map(
    ([path, imports]) =>
      `${JSON.stringify(path)}: [${JSON.stringify(imports)}, function (module, exports, require) {\n${readFileSync(path, 'utf8')}\n}]`,
  );
  return `(() => {
  const modules = {${functions.join(',\n')}};
  const loaded = {};
  const load = (path) => {
    if (path === undefined) return {};
    if (loaded[path]) return loaded[path].exports;
    const module = (loaded[path] = { exports: {} });
    const [imports, run] = modules[path];
    run.call(module.exports, module, module.exports, (name) => load(imports[name]));
    return module.exports;
  };
  const exported = load(${JSON.stringify(file)});
  globalThis[${JSON.stringify(name)}] = exported.default ?? exported;
})();`;
}
