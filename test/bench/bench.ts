import { readdirSync } from 'node:fs';

// `npm run bench -- NAME`: figures, side by side in one run; nothing here passes or fails.
const names = readdirSync(import.meta.dirname).flatMap((file) => /^bench-(.+)\.ts$/.exec(file)?.[1] ?? []);
const [name] = process.argv.slice(2);
if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run bench -- ${names.join(' | ')}`);
  process.exit(2);
}
await import(`./bench-${name}.ts`);
