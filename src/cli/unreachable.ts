import { Failure } from '../diagnostics/failure.ts';
import type { KubernetesApi } from '../edges/kubernetes/kubernetes-api.ts';
import type { SourceTrouble } from '../edges/source-trouble.ts';

/** For a cluster that has not answered once. */
export function unreachable({ server }: KubernetesApi, { message }: SourceTrouble): Failure {
  return new Failure('cluster-unreachable', `${server}: ${message}; is it up, and is this the way to it?`);
}
