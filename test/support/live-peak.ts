import { execa } from 'execa';

// Node's own figures, written to descriptor 3 by the process that is measured when it ends. What nobody holds any more is
// thrown away before each look, or the figure would be that of a collector that has no need to hurry yet.
const reportPeak = `data:text/javascript,${encodeURIComponent(
  `import { writeSync } from 'node:fs';
  let peak = 0;
  const look = () => {
    globalThis.gc();
    const { heapUsed, external } = process.memoryUsage();
    peak = Math.max(peak, heapUsed + external);
  };
  setInterval(look, 100).unref();
  process.on('exit', () => { look(); writeSync(3, String(peak)); });`,
)}`;

/** Runs a program of Node, and finds the most that it has held at once. */
export async function livePeak(
  argv: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<{ exitCode: number | undefined; stdout: string; peakBytes: number }> {
  const { exitCode, stdout, stdio } = await execa(process.execPath, ['--expose-gc', '--import', reportPeak, ...argv], {
    ...options,
    reject: false,
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
  });
  return { exitCode, stdout, peakBytes: Number(stdio[3]) };
}
