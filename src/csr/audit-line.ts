import type { Decision } from './survey.ts';

/**
 * What a decision is remembered by, as a line of JSON. `isDone` is false where nothing was asked of the cluster; `isDenied`
 * where a request that is refused stays pending.
 */
export function auditLine(
  { name, requester, use, node, verdict }: Decision,
  { time, isDone, isDenied }: { time: Date; isDone: boolean; isDenied: boolean },
): string {
  const why =
    verdict.kind === 'refuse' ? { reason: verdict.reason, message: verdict.message } : { reason: 'as-planned' };
  const line = JSON.stringify({
    time: time.toISOString(),
    csr: name,
    node: node ?? requester.replace(/^system:node:/, ''),
    use,
    verdict: isDenied ? 'deny' : verdict.kind,
    ...why,
    key: 'key' in verdict ? verdict.key : undefined,
    dryRun: isDone ? undefined : true,
  });
  return `${escapeInvisible(line)}\n`;
}

/** Still the same JSON, of which a terminal shows all: names come from whoever may post requests. */
function escapeInvisible(json: string): string {
  const escape = (unit: number): string => `\\u${unit.toString(16).padStart(4, '0')}`;
  return json.replace(/\p{C}/gu, (character) =>
    Array.from({ length: character.length }, (_, index) => escape(character.charCodeAt(index))).join(''),
  );
}
