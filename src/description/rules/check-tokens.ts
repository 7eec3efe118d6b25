import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Subject } from './rule.ts';

const HOUR = 3600;

/** compile replaces a token with less than an hour left, so that of a shorter one no second compile would find any. */
const SHORTEST = 2 * HOUR;

/** A bootstrap token is a password for the first boot; ten years is a mistake in the unit. */
const LONGEST = 10 * 365 * 24 * HOUR;

export function* checkTokens({ cluster }: Subject): Iterable<Diagnostic> {
  const { ttlSeconds } = cluster.tokens;
  const found = { code: 'bad-token-ttl', path: ['tokens', 'ttl'], at: 'value' } as const;
  if (ttlSeconds < SHORTEST) {
    yield { ...found, message: 'a token with less than an hour left is replaced at every compile; write 2h or more' };
  } else if (ttlSeconds > LONGEST) {
    yield {
      ...found,
      message: 'a token that lives for more than ten years is a password for ever; write 24h, or some days',
    };
  }
}
