import type { Decision } from '../csr/survey.ts';
import type { NodeReport } from './node-report.ts';

/** What an approver has done since it started, for Prometheus. */
export class Metrics {
  readonly #decisions = new Map<string, number>();
  readonly #certificates = new Map<string, number>();
  #troubles = 0;
  /** Whether this process is the one that approves. */
  isLeader = false;

  countDecision({ use, verdict }: Decision, isDenied: boolean): void {
    const reason = verdict.kind === 'refuse' ? verdict.reason : 'as-planned';
    count(this.#decisions, `use="${use ?? 'other'}",verdict="${isDenied ? 'deny' : verdict.kind}",reason="${reason}"`);
  }

  countReport({ use, state }: NodeReport): void {
    count(this.#certificates, `use="${use}",state="${state}"`);
  }

  countTrouble(): void {
    this.#troubles += 1;
  }

  /** https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format; all labels are words of bake's own. */
  toText(): string {
    return [
      ...family(
        'bake_csr_decisions_total',
        'counter',
        'Requests decided, by what the certificate is for, verdict and reason.',
        this.#decisions,
      ),
      ...family(
        'bake_certificates_total',
        'counter',
        'Certificates of planned nodes, by what they are for and what came of them.',
        this.#certificates,
      ),
      ...family('bake_apiserver_troubles_total', 'counter', 'Failed attempts with the apiserver.', [
        ['', this.#troubles],
      ]),
      ...family('bake_leader', 'gauge', 'Whether this process is the one that approves.', [
        ['', Number(this.isLeader)],
      ]),
      '',
    ].join('\n');
  }
}

function count(counts: Map<string, number>, labels: string): void {
  counts.set(labels, (counts.get(labels) ?? 0) + 1);
}

function family(name: string, type: string, help: string, values: Iterable<readonly [string, number]>): string[] {
  const lines = Array.from(values, ([labels, value]) => `${name}${labels === '' ? '' : `{${labels}}`} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];
}
