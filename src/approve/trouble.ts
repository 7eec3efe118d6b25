import { Failure } from '../diagnostics/failure.ts';
import { SourceTrouble } from '../edges/source-trouble.ts';

/** What may pass. */
export type Trouble = SourceTrouble | Failure;

/** What passes for whoever has been let in before: an apiserver that starts refuses everybody, a name server may be away. */
const passing = ['cluster-refuses', 'cluster-untrusted', 'kubeconfig-unusable'];

export function isTrouble(error: unknown, wasWell: boolean): error is Trouble {
  return error instanceof SourceTrouble || (wasWell && error instanceof Failure && passing.includes(error.code));
}
