import { BlockList, isIP } from 'node:net';
import { Failure } from '../diagnostics/failure.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The proxy that leads to a place, if one does. */
export type ProxyFor = (place: URL) => string | undefined;

/**
 * The proxies that the environment says: http:// by HTTP_PROXY, https:// by HTTPS_PROXY and by nothing else, but for what
 * NO_PROXY names; each name in either case. So do curl and Go; undici would take HTTP_PROXY for both.
 * @throws Failure `proxy-unusable`
 */
export function environmentProxies(env: Environment): ProxyFor {
  const proxies = { http: proxyOf(env, 'http_proxy'), https: proxyOf(env, 'https_proxy') };
  const exceptions = (env['no_proxy'] ?? env['NO_PROXY'] ?? '').split(/[,\s]+/).filter((entry) => entry !== '');
  return (place) => {
    const proxy = place.protocol === 'https:' ? proxies.https : proxies.http;
    return exceptions.some((entry) => isException(entry, place)) ? undefined : proxy;
  };
}

function proxyOf(env: Environment, name: string): string | undefined {
  const written = env[name] ?? env[name.toUpperCase()];
  if (written === undefined || written === '') return undefined;
  // curl, too, takes host:port for http://host:port.
  const proxy = written.includes('://') ? written : `http://${written}`;
  if (isHttpUrl(proxy)) return proxy;
  // It may hold a password, so it is not shown.
  const message = `${name.toUpperCase()} is no address of an HTTP proxy; write it as http://HOST:PORT`;
  throw new Failure('proxy-unusable', message);
}

export function isHttpUrl(written: string): boolean {
  return URL.canParse(written) && ['http:', 'https:'].includes(new URL(written).protocol);
}

/**
 * An entry of NO_PROXY: a host with all below it, an address, a network (the 10.0.0.0/8 of a Pod, whose apiserver is an
 * address), each of one port or of all; or `*`. https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
 */
function isException(entry: string, place: URL): boolean {
  if (entry === '*') return true;
  const host = hostOf(place);
  const [network = '', prefix] = entry.split('/');
  if (prefix !== undefined) return isIn(host, network, Number(prefix));
  const [, name = entry, port] = isIP(entry) === 6 ? [] : (/^(.+?)(?::(\d+))?$/.exec(entry) ?? []);
  if (port !== undefined && port !== (place.port || (place.protocol === 'https:' ? '443' : '80'))) return false;
  const wanted = name.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (isIP(wanted) !== 0) return isIn(host, wanted, isIP(wanted) === 6 ? 128 : 32);
  const domain = wanted.replace(/^\*?\./, '');
  return host === domain || host.endsWith(`.${domain}`);
}

/** As it is written in a URL, without the brackets of IPv6. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

function isIn(host: string, network: string, prefix: number): boolean {
  const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
  const isNetwork = isIP(network) !== 0 && Number.isInteger(prefix) && prefix <= (family === 'ipv6' ? 128 : 32);
  if (!isNetwork || isIP(host) === 0) return false;
  const list = new BlockList();
  list.addSubnet(network, prefix, family);
  return list.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}
