import { once } from 'node:events';
import { resolve } from 'node:path';
import { isatty } from 'node:tty';
import * as z from 'zod';
import { Failure } from '../../diagnostics/failure.ts';

/** What runs it, and hears of it. */
export interface PluginSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly now: () => Date;
  /** Gets what it writes there. */
  readonly stderr: { write(text: string): unknown };
  /** Ends it. */
  readonly signal: AbortSignal;
}

export const execShape = z.object({
  apiVersion: z.string(),
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  installHint: z.string().nullish(),
  provideClusterInfo: z.boolean().nullish(),
  interactiveMode: z.enum(['Never', 'IfAvailable', 'Always']).nullish(),
});

/** users[].user.exec of a kubeconfig. */
export type Exec = z.infer<typeof execShape>;

/** What a plugin gives. */
export interface Credential {
  readonly token?: string | undefined;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

interface Given {
  readonly credential: Credential;
  /** In milliseconds since 1970. */
  readonly until: number;
}

/** One run, for all that wait for it. */
interface Run {
  readonly given: Promise<Given>;
  readonly end: AbortController;
  waiting: number;
}

/** As execa tells it. */
interface Ended {
  readonly code?: string | undefined;
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly stdout: string;
}

const group = 'client.authentication.k8s.io';
const versions = [`${group}/v1`, `${group}/v1beta1`];
/** A token, a certificate and a key. */
const MAX_OUTPUT = 1 << 20;
/** After which one that does not help may be asked again. */
const REST_MS = 1000;

const text = z.string().min(1).nullish();
const credentialShape = z.object({
  apiVersion: z.string(),
  kind: z.literal('ExecCredential'),
  status: z
    .object({
      token: text,
      clientCertificateData: text,
      clientKeyData: text,
      expirationTimestamp: z.iso.datetime({ offset: true }).nullish(),
    })
    .refine(({ token, clientCertificateData: cert, clientKeyData: key }) => {
      return (token || cert) && Boolean(cert) === Boolean(key);
    }),
});

/**
 * A program that logs in, run when it is needed first, and again when what it gave has expired or is refused.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
export class ExecPlugin {
  readonly #exec: Exec;
  readonly #folder: string;
  readonly #cluster: object;
  readonly #around: PluginSurroundings;
  #given: Given | undefined;
  #running: Run | undefined;
  #failed: { readonly error: unknown; readonly at: number } | undefined;
  /** When a login was refused last. */
  #forgot = -Infinity;

  /**
   * @param folder where a command with a slash starts from
   * @param cluster for a plugin that wants to know where it logs in
   * @throws Failure `kubeconfig-unusable`
   */
  constructor(exec: Exec, { folder, cluster }: { folder: string; cluster: object }, around: PluginSurroundings) {
    if (!versions.includes(exec.apiVersion)) {
      throw unusable(
        `its exec has the apiVersion ${JSON.stringify(exec.apiVersion)}`,
        `bake knows ${versions.join(' and ')}`,
      );
    }
    if (exec.apiVersion === versions[0] && !exec.interactiveMode) {
      throw unusable('its exec has no interactiveMode', 'it is Never, IfAvailable or Always');
    }
    this.#exec = exec;
    this.#folder = folder;
    this.#cluster = cluster;
    this.#around = around;
  }

  /**
   * The same for all that ask meanwhile.
   * @param signal ends the waiting, and where nobody else waits, the plugin
   * @throws Failure `kubeconfig-unusable`; the reason of the signal, or of the one that ends it
   */
  async credential(signal: AbortSignal): Promise<Credential> {
    const { now } = this.#around;
    signal.throwIfAborted();
    if (this.#given === undefined || now().getTime() >= this.#given.until) {
      this.#given = await this.#waitFor((this.#running ??= this.#begin()), signal);
    }
    return this.#given.credential;
  }

  #begin(): Run {
    const end = new AbortController();
    return { given: this.#runUnlessFailed(AbortSignal.any([this.#around.signal, end.signal])), end, waiting: 0 };
  }

  async #waitFor(run: Run, signal: AbortSignal): Promise<Given> {
    const over = new AbortController();
    run.waiting += 1;
    try {
      await Promise.race([run.given, once(signal, 'abort', { signal: over.signal })]);
      signal.throwIfAborted();
      return await run.given;
    } finally {
      over.abort();
      run.waiting -= 1;
      if (run.waiting === 0) {
        run.end.abort();
        this.#running = undefined;
      }
    }
  }

  /** What has just failed is not run again for each of many requests. */
  async #runUnlessFailed(signal: AbortSignal): Promise<Given> {
    if (this.#failed !== undefined && performance.now() < this.#failed.at + REST_MS) throw this.#failed.error;
    try {
      return await this.#run(signal);
    } catch (error) {
      if (!signal.aborted) this.#failed = { error, at: performance.now() };
      throw error;
    }
  }

  /** Has it run again, unless it has since, or just before. */
  forget(credential: Credential): void {
    if (this.#given?.credential !== credential || performance.now() < this.#forgot + REST_MS) return;
    this.#given = undefined;
    this.#forgot = performance.now();
  }

  async #run(signal: AbortSignal): Promise<Given> {
    const { env, cwd, stderr } = this.#around;
    const { command, args, env: more } = this.#exec;
    // For nobody else: it takes 20 ms.
    const { execa } = await import('execa');
    signal.throwIfAborted();
    const isInteractive = this.#isInteractive();
    const running = execa(command.includes('/') ? resolve(this.#folder, command) : command, args ?? [], {
      cwd,
      env: {
        ...env,
        ...Object.fromEntries((more ?? []).map(({ name, value }) => [name, value])),
        KUBERNETES_EXEC_INFO: this.#info(isInteractive),
      },
      extendEnv: false,
      stdin: isInteractive ? 'inherit' : 'ignore',
      buffer: { stderr: false },
      maxBuffer: MAX_OUTPUT,
      reject: false,
    });
    running.stderr.setEncoding('utf8').on('data', (said: string) => stderr.write(said));
    const stop = (): void => {
      running.kill();
      // What it has started itself may hold them open.
      running.stdout.destroy();
      running.stderr.destroy();
    };
    signal.addEventListener('abort', stop);
    try {
      const ended = await running;
      signal.throwIfAborted();
      return this.#read(ended);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  #isInteractive(): boolean {
    const { interactiveMode } = this.#exec;
    const isInteractive = interactiveMode !== 'Never' && isatty(0);
    if (interactiveMode !== 'Always' || isInteractive) return isInteractive;
    throw unusable(
      `the login plugin ${this.#exec.command} asks questions, and stdin is no terminal`,
      'run bake in one',
    );
  }

  #info(interactive: boolean): string {
    const { apiVersion, provideClusterInfo } = this.#exec;
    const spec = { interactive, ...(provideClusterInfo && { cluster: this.#cluster }) };
    return JSON.stringify({ apiVersion, kind: 'ExecCredential', spec });
  }

  /** Says of its output only that it is wrong: it may hold a token. */
  #read({ code, exitCode, signal, stdout }: Ended): Given {
    const { command, installHint, apiVersion } = this.#exec;
    const plugin = `the login plugin ${command}`;
    if (code === 'ENOENT') throw unusable(`${plugin} is not there`, installHint?.trim() || 'install it');
    if (exitCode !== 0) {
      const how = exitCode === undefined ? (signal ?? code ?? 'no reason given') : `exit code ${exitCode}`;
      throw unusable(`${plugin} has failed (${how})`, 'what it said is above');
    }
    const parsed = credentialShape.safeParse(jsonOf(stdout));
    if (!parsed.success || parsed.data.apiVersion !== apiVersion) {
      throw unusable(`${plugin} has given no ExecCredential of ${apiVersion} with a login`, 'see to it');
    }
    const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = parsed.data.status;
    const credential: Credential = {
      ...(token && { token }),
      ...(cert && key && { cert: Buffer.from(cert), key: Buffer.from(key) }),
    };
    return { credential, until: expirationTimestamp ? Date.parse(expirationTimestamp) : Infinity };
  }
}

function jsonOf(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}

function unusable(fact: string, remedy: string): Failure {
  return new Failure('kubeconfig-unusable', `${fact}; ${remedy}`);
}
