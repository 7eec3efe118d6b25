import { setTimeout } from 'node:timers/promises';
import type { Machine } from './machine.ts';

/** Of a timer, in milliseconds: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const longest = 2 ** 31 - 1;

/**
 * A machine that is asked until a time: it may hang, or have hung what it was asked to run.
 * @param deadline as performance.now() has it; from then on nothing that it is asked has an answer
 * @returns it, and what it is asked throws an AbortError when the signal is aborted
 */
export function askedUntil(machine: Machine, deadline: number, signal: AbortSignal): Machine {
  const run: Machine['run'] = async (command) => {
    const answered = new AbortController();
    const left = Math.max(0, Math.min(deadline - performance.now(), longest));
    const timeIsUp = setTimeout(left, undefined, {
      signal: AbortSignal.any([signal, answered.signal]),
    });
    try {
      return await Promise.race([timeIsUp, machine.run(command)]);
    } finally {
      answered.abort();
    }
  };
  return { ...machine, run };
}
