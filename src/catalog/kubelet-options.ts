import fields from './kubelet-fields.json' with { type: 'json' };
import flags from './kubelet-flags.json' with { type: 'json' };

/** The minors whose fields and flags are known here, and so the ones that bake supports. */
export const kubeletMinors = ['1.18', '1.19', '1.20', '1.21', '1.22', '1.23'] as const;
export type KubeletMinor = (typeof kubeletMinors)[number];

/** In which minors something exists; absent where it was there before, or still is. */
interface Lifetime {
  readonly since?: KubeletMinor;
  /** The last minor that has it. */
  readonly until?: KubeletMinor;
}

export interface KubeletField extends Lifetime {
  readonly type: FieldType;
}

type FieldType = Scalar | 'object' | `list of ${Scalar | 'object'}` | `map of ${Scalar}` | 'map of list of string';
/** `duration` is written as 1m30s, `quantity` as 100Mi, `time` as in RFC 3339. */
type Scalar = 'bool' | 'int' | 'float' | 'string' | 'duration' | 'quantity' | 'time';

export interface KubeletFlag extends Lifetime {
  /** From this minor on it still works, with a warning. */
  readonly deprecated?: KubeletMinor;
}

/**
 * KubeletConfiguration v1beta1 by dotted path (`a[].b` inside a list), whatever the minor. Read by reflection from the
 * Go types in k8s.io/kubelet/config/v1beta1 at v0.18.6, v0.19.16, v0.20.15, v0.21.14, v0.22.17 and v0.23.17:
 * https://pkg.go.dev/k8s.io/kubelet@v0.18.6/config/v1beta1#KubeletConfiguration
 */
export const kubeletFields: ReadonlyMap<string, KubeletField> = new Map(
  Object.entries(fields as Readonly<Record<string, KubeletField>>),
);

/**
 * kubelet's flags on Linux by name, whatever the minor: what k8s.io/kubernetes/cmd/kubelet/app/options registers at
 * v1.18.6, v1.19.16, v1.20.15, v1.21.14, v1.22.17 and v1.23.17, logging and cAdvisor included:
 * https://github.com/kubernetes/kubernetes/blob/v1.18.6/cmd/kubelet/app/options/options.go
 */
export const kubeletFlags: ReadonlyMap<string, KubeletFlag> = new Map(
  Object.entries(flags as Readonly<Record<string, KubeletFlag>>),
);

/** `1.18` of 1.18.6; undefined for a minor that is not supported. */
export function kubeletMinorOf(version: string): KubeletMinor | undefined {
  return kubeletMinors.find((minor) => version.startsWith(`${minor}.`));
}

/** Undefined: this minor refuses the field. */
export function findKubeletField(minor: KubeletMinor, path: string): KubeletField | undefined {
  const field = kubeletFields.get(path);
  return field !== undefined && isAlive(field, minor) ? field : undefined;
}

/** Undefined: with this flag kubelet of this minor does not start. */
export function findKubeletFlag(minor: KubeletMinor, name: string): KubeletFlag | undefined {
  const flag = kubeletFlags.get(name);
  return flag !== undefined && isAlive(flag, minor) ? flag : undefined;
}

export function kubeletFieldNames(minor: KubeletMinor): string[] {
  return [...kubeletFields].filter(([, field]) => isAlive(field, minor)).map(([path]) => path);
}

export function kubeletFlagNames(minor: KubeletMinor): string[] {
  return [...kubeletFlags].filter(([, flag]) => isAlive(flag, minor)).map(([name]) => name);
}

function isAlive({ since, until }: Lifetime, minor: KubeletMinor): boolean {
  const at = kubeletMinors.indexOf(minor);
  const first = since === undefined ? 0 : kubeletMinors.indexOf(since);
  const last = until === undefined ? kubeletMinors.length - 1 : kubeletMinors.indexOf(until);
  return first <= at && at <= last;
}
