import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { quote } from '../../diagnostics/quote.ts';
import { nearMiss } from '../did-you-mean.ts';
import type { Subject } from './rule.ts';

/** What `packer build` would find out after minutes. */
export function* checkImage({ spec, cluster }: Subject): Iterable<Diagnostic> {
  const { source, timeZone } = cluster.image;
  if (source === 'null' && spec.image?.null?.host === undefined) {
    const message = 'the source null bakes an existing machine, and none is named; add image.null.host';
    yield { code: 'null-source-without-host', path: ['image', 'source'], at: 'value', message };
  }
  const { os, apt } = cluster.image;
  if (apt.kind === 'mirror' && os.startsWith('debian') && spec.image?.apt?.securityMirror === undefined) {
    const message = `security updates of ${os} are not in its main archive; add image.apt.securityMirror`;
    yield { code: 'mirror-without-security', path: ['image', 'apt', 'mirror'], at: 'value', message };
  }
  if (spec.image?.timeZone !== undefined && !isTimeZone(timeZone)) {
    const meant = zoneOfCity(timeZone);
    const remedy = meant === undefined ? 'write one such as Asia/Shanghai or UTC' : `did you mean ${meant}?`;
    const message = `there is no time zone ${quote(timeZone)}; ${remedy}`;
    yield { code: 'unknown-time-zone', path: ['image', 'timeZone'], at: 'value', message };
  }
}

/** Intl knows the tz database, old names too, but does not mind the case, which the name of a file does. */
function isTimeZone(name: string): boolean {
  const modern = Intl.supportedValuesOf('timeZone');
  if (modern.includes(name)) return true;
  if (modern.some((other) => other.toLowerCase() === name.toLowerCase())) return false;
  try {
    return /^[A-Z]/.test(name) && new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** By the city alone: Europe/Shanghai, asia/shanghai and Asia/Shangai mean Asia/Shanghai. */
function zoneOfCity(name: string): string | undefined {
  const zones = new Map(Intl.supportedValuesOf('timeZone').map((zone) => [cityOf(zone), zone]));
  const city = nearMiss(cityOf(name), [...zones.keys()]);
  return city === undefined ? undefined : zones.get(city);
}

function cityOf(zone: string): string {
  return zone.replace(/.*\//, '');
}
