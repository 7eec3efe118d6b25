// The house plan as rules: who may import whom (CONTRIBUTING.md has the map in words).
const LEAVES = 'src/(diagnostics|catalog|cluster)';
const PURE = 'src/(diagnostics|catalog|cluster|description|templates|compile|tokens|lock|csr)';

module.exports = {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'a-leaf-imports-no-room',
      severity: 'error',
      from: { path: `^${LEAVES}/` },
      to: { path: '^src/', pathNot: `^src/$1/` },
    },
    {
      name: 'a-pure-room-touches-no-machine',
      severity: 'error',
      from: { path: `^${PURE}/` },
      to: {
        path: '^(src/edges|src/cli|node:fs|fs|node:http|http|node:https|https|node:child_process|child_process|node:os|os)(/|$)',
      },
    },
    { name: 'edges-know-no-command', severity: 'error', from: { path: '^src/edges/' }, to: { path: '^src/cli/' } },
    { name: 'no-orphan', severity: 'error', from: { orphan: true, path: '^src/', pathNot: '\\.json$' }, to: {} },
    {
      name: 'only-declared-packages',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'src-uses-no-dev-package',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: 'node_modules/@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
