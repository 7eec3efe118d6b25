import cliProgress, { type SingleBar } from 'cli-progress';
import type { Stream } from '../edges/surroundings.ts';

/** A bar that goes when it is done. */
export function progressBar(screen: Stream, what: string): SingleBar {
  return new cliProgress.SingleBar(
    {
      format: `${what} {bar} {percentage}%  {megabytes}  {rate}  {eta_formatted} left`,
      // It writes and asks isTTY, nothing more.
      stream: screen as unknown as NodeJS.WriteStream,
      barsize: 24,
      clearOnComplete: true,
      hideCursor: false,
      // Ctrl-C is heard elsewhere.
      gracefulExit: false,
    },
    cliProgress.Presets.shades_classic,
  );
}
