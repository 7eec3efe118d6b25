import type { Cluster } from '../../cluster/cluster.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Inputs } from '../inputs.ts';
import type { ClusterSpec } from '../shape/cluster-spec.ts';

/** What a rule looks at: what was written, what it means with every default, and the files that it names. */
export interface Subject {
  readonly spec: ClusterSpec;
  /** Complete, but true only when no rule found an error. */
  readonly cluster: Cluster;
  readonly inputs: Inputs;
}

/** One thing that must hold. Rules do not know of each other, and all of them run. */
export type Rule = (subject: Subject) => Iterable<Diagnostic>;
