import { build } from 'esbuild';

// dist/: one file for `bake --help`, and one for each command, loaded when it is called. Packages are in it, since Node
// opens a file for each of their modules otherwise, which takes as long as all the rest of `bake check`.
await build({
  entryPoints: ['src/main.ts'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
  // What the library of the bill of materials can do besides: XML.
  external: ['xmlbuilder2'],
  // CommonJS packages ask for Node's own modules by require(), which a module has to make for itself.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
});
