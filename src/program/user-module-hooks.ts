import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { LoadHook, ResolveHook } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compiledFile } from '../core/package.js';

const OWN: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ['sluice', ['src', 'index.js']],
    ['sluice/transforms', ['transforms', 'index.js']],
    ['sluice/sinks', ['sinks', 'index.js']],
  ].map(([name, path]) => [name, pathToFileURL(compiledFile(...(path as string[]))).href]),
);

/** A pipeline that comes with Sluice, for one of the user's own that extends it. */
function ownPipeline(specifier: string): string | undefined {
  const [, name] = /^sluice\/pipelines\/([a-z][a-z-]*)$/.exec(specifier) ?? [];
  if (name === undefined) return undefined;
  const path = compiledFile('pipelines', name, 'index.js');
  return existsSync(path) ? pathToFileURL(path).href : undefined;
}

/** The package's own name means this package; `./x.js` may be the TypeScript file x.ts. */
export const resolve: ResolveHook = async (specifier, context, next) => {
  const own = Object.hasOwn(OWN, specifier) ? OWN[specifier] : ownPipeline(specifier);
  if (own !== undefined) return { url: own, format: 'module', shortCircuit: true };
  if (specifier.startsWith('.') && context.parentURL?.startsWith('file:')) {
    const url = new URL(specifier, context.parentURL);
    if (!existsSync(fileURLToPath(url))) {
      for (const candidate of [url.href.replace(/\.(c|m)?js$/, '.$1ts'), `${url.href}.ts`]) {
        if (existsSync(fileURLToPath(candidate)))
          return { url: candidate, format: 'module', shortCircuit: true };
      }
    }
  }
  return next(specifier, context);
};

/** TypeScript loses its types and is always an ES module, whatever the nearest package.json says. */
export const load: LoadHook = async (url, context, next) => {
  if (!/^file:.*\.[cm]?ts$/.test(url)) return next(url, context);
  const path = fileURLToPath(url);
  // Not before there is TypeScript: it starts a process of its own, in the directory that it was imported in.
  const { transform } = await import('esbuild');
  const { code } = await transform(await readFile(path, 'utf8'), {
    loader: 'ts',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    sourcefile: path,
  });
  return { format: 'module', source: code, shortCircuit: true };
};
