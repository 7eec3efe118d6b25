import { constants } from 'node:os';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { exitCodes, Failure } from '../diagnostics/failure.ts';
import type { ApproveCsrsOptions } from './approve-csrs.ts';
import type { Context } from './context.ts';
import type { ImageOptions } from './image.ts';
import { printJson } from './print-json.ts';
import type { RehearseOptions } from './rehearse.ts';
import type { FetchCommandOptions } from './tell-fetched.ts';
import { terminal } from './terminal.ts';
import type { ListOptions } from './token.ts';
import { version } from './version.ts';

/**
 * Runs one command line, in this process.
 * @param argv without node and the script
 * @returns the exit code
 */
export async function run(argv: readonly string[], context: Context): Promise<number> {
  let exitCode: number = exitCodes.done;
  let json = false;
  const program = describeCommands(context, (code) => (exitCode = code)).hook('preAction', (_, command) => {
    json = wantsJson(command);
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    return explainFailure(error, json, context);
  }
}

/** `--json`, or `-o json` where -o says how to print; elsewhere it says where to write. */
function wantsJson(command: Command): boolean {
  const { json, output } = command.opts<{ json?: true; output?: string }>();
  const isForm = command.options.some((option) => option.attributeName() === 'output' && option.argChoices);
  return json ?? (isForm && output === 'json');
}

function explainFailure(error: unknown, json: boolean, context: Context): number {
  const { paint, talk } = terminal(context);
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  if (error instanceof Failure) {
    const { code, message, details } = error;
    if (json) printJson({ good: false, error: { code, message }, ...details }, context);
    talk(`${paint.red('error')} ${paint.bold(code)}: ${message}\n`);
    return error.exitCode;
  }
  if (context.signal.aborted) return 128 + constants.signals[context.signal.reason as NodeJS.Signals];
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  talk(
    `${paint.red('error')} ${paint.bold('internal')}: this is a bug in bake; please report it with these lines:\n${detail}\n`,
  );
  return exitCodes.bug;
}

/** As kubectl writes it: 90s, 5m, 1h. */
function timeout(what: string): Option {
  const seconds = { s: 1, m: 60, h: 3600 };
  return new Option('--timeout <time>', what).argParser((value) => {
    const [, number, unit] = /^(\d{1,5})([smh])$/.exec(value) ?? [];
    if (number === undefined) throw new InvalidArgumentError('Write it as 90s, 5m or 1h.');
    return Number(number) * seconds[unit as keyof typeof seconds];
  });
}

function description(): Option {
  return new Option('-f, --file <description>', 'the description').default('cluster.yaml');
}

/** HOST:PORT, with an IPv6 address in brackets; without a host it is every address. */
function listen(): Option {
  return new Option('--listen <address>', 'with --watch: serve /healthz, /readyz and /metrics at HOST:PORT')
    .implies({ watch: true })
    .argParser((written) => {
      const [, host, port] = /^(?:\[([\da-f:.]+)\]|[^:[\]]*):(\d{1,5})$/i.exec(written) ?? [];
      if (port === undefined || Number(port) > 65_535)
        throw new InvalidArgumentError('Write it as :9441 or 127.0.0.1:9441.');
      return { host: host ?? written.slice(0, written.lastIndexOf(':')), port: Number(port) };
    });
}

const kubeconfig = ['--kubeconfig <file>', "which kubeconfig; kubectl's when left out"] as const;
const contextName = ['--context <name>', 'which of its contexts; its current one when left out'] as const;

type Exit = (code: number) => void;

/** The commands. Each is loaded when it is called, so that `bake --help` starts as fast as it can. */
function describeCommands(context: Context, exit: Exit): Command {
  const program = new Command('bake')
    .description('Turns one description of a Kubernetes cluster into worker machines.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
    })
    .showSuggestionAfterError()
    .showHelpAfterError('(--help lists what there is)')
    .addHelpText(
      'after',
      `
Examples:
  bake init my-cluster                       write a description to start from
  bake check my-cluster/cluster.yaml         report every mistake in it
  bake compile my-cluster/cluster.yaml -o out
  bake lock my-cluster/cluster.yaml          pin every download
  bake fetch my-cluster/cluster.yaml         download what is pinned
  bake image my-cluster/cluster.yaml         all of that, and packer build
  bake rehearse node1 -f my-cluster/cluster.yaml

Exit codes: 0 done, 1 the description or its lock is wrong, 2 the command line
is wrong, 3 the outside world failed, 70 a bug in bake, 130 Ctrl-C.`,
    );

  program
    .command('init')
    .argument('[dir]', 'folder to write to', '.')
    .description("write a commented cluster.yaml with the guide's cluster, its JSON Schema and a .gitignore")
    .addHelpText('after', '\nExamples:\n  bake init\n  bake init my-cluster')
    .action(async (dir: string) => {
      const { init } = await import('./init.ts');
      init(dir, context);
    });

  program
    .command('check')
    .argument('[description]', 'cluster.yaml', 'cluster.yaml')
    .option('--json', 'print the diagnostics as JSON on stdout')
    .description('report every mistake in a description, and change nothing')
    .addHelpText('after', '\nExamples:\n  bake check cluster.yaml\n  bake check --json cluster.yaml | jq .diagnostics')
    .action(async (file: string, options: { json?: true }) => {
      const { check } = await import('./check.ts');
      exit(check(file, options, context));
    });

  program
    .command('explain')
    .argument('[code]', 'a code that an error printed; all of them when left out')
    .description('tell the story behind an error code')
    .addHelpText('after', '\nExample:\n  bake explain duplicate-node-name')
    .action(async (code: string | undefined) => {
      const { explain } = await import('./explain.ts');
      explain(code, context);
    });

  program
    .command('compile')
    .argument('[description]', 'cluster.yaml', 'cluster.yaml')
    .option('-o, --output <folder>', 'where to write; replaced as a whole, or not at all', 'out')
    .option('--dry-run', 'print what would be written, and write nothing')
    .option('--json', 'print a summary as JSON on stdout')
    .description('write the Packer template, user-data per node and cluster manifests')
    .addHelpText('after', '\nExamples:\n  bake compile cluster.yaml -o out\n  bake compile cluster.yaml --dry-run')
    .action(async (file: string, options: { output: string; dryRun?: true; json?: true }) => {
      const { compileCommand } = await import('./compile.ts');
      exit(await compileCommand(file, options, context));
    });

  program
    .command('lock')
    .argument('[description]', 'cluster.yaml', 'cluster.yaml')
    .option('--check', 'only say whether bake.lock is up to date; exit 1 when not')
    .addOption(new Option('--update', 'ask for everything anew, not only for what changed').conflicts('check'))
    .option('--json', 'print a summary as JSON on stdout')
    .description('write bake.lock, which pins every download by its digest')
    .addHelpText('after', '\nExamples:\n  bake lock\n  bake lock --check my-cluster/cluster.yaml')
    .action(async (file: string, options: { check?: true; update?: true; json?: true }) => {
      const { lockCommand } = await import('./lock.ts');
      exit(await lockCommand(file, options, context));
    });

  program
    .command('fetch')
    .argument('[description]', 'cluster.yaml', 'cluster.yaml')
    .option('-o, --output <folder>', "also lay out the image's files there, by their names")
    .option('--verify', 'read the cached files again, and compare them with their digests')
    .addOption(new Option('--pack <bundle>', 'write all files of the lock into one tar').conflicts('from'))
    .option('--from <bundle>', 'take the files from such a tar')
    .option('--json', 'print a summary as JSON on stdout')
    .description('download what bake.lock pins, into the cache')
    .addHelpText(
      'after',
      `
Examples:
  bake fetch
  bake fetch -o artifacts                    for packer build
  bake fetch --pack bundle.tar               where there is a network,
  bake fetch --from bundle.tar               and where there is none

The cache is $XDG_CACHE_HOME/bake, or ~/.cache/bake. Proxies: HTTP_PROXY,
HTTPS_PROXY, NO_PROXY. Mirrors: downloads.mirrors in the description.`,
    )
    .action(async (file: string, options: FetchCommandOptions) => {
      const { fetchCommand } = await import('./fetch.ts');
      exit(await fetchCommand(file, options, context));
    });

  program
    .command('image')
    .argument('[description]', 'cluster.yaml', 'cluster.yaml')
    .option('-o, --output <folder>', 'where to write the template, as with compile', 'out')
    .option('--image <folder>', 'where the image, its SHA-256, its bill of materials and the log go', 'image')
    .option('--ssh-key <file>', "for the source null: the key that logs in; the SSH agent's when left out")
    .option('--json', 'print a summary as JSON on stdout')
    .description('compile, fetch, and have Packer bake the image')
    .addHelpText(
      'after',
      `
Examples:
  bake image
  bake image my-cluster/cluster.yaml --image /srv/images

It runs the packer on your PATH, 1.11 or later. Ctrl-C leaves no machine and no
half image behind; the image of an earlier bake stays until the new one is
complete.`,
    )
    .action(async (file: string, options: ImageOptions) => {
      const { imageCommand } = await import('./image.ts');
      exit(await imageCommand(file, options, context));
    });

  program
    .command('rehearse')
    .argument('<node>', 'its name in the description')
    .addOption(description())
    .option(
      '--image <path>',
      'the image to boot, or a folder with its root file system; as `bake image` names it when left out',
    )
    .addOption(timeout('how long the node has to join: 90s, 5m (default: 60s, by QEMU 10m)'))
    .addOption(new Option('-o, --output <form>', 'how to print').choices(['table', 'json']).default('table'))
    .description('boot a node in a container or by QEMU, without a cluster, and tell what would happen')
    .addHelpText(
      'after',
      `
Examples:
  bake rehearse node1
  bake rehearse node1 -f my-cluster/cluster.yaml --image /srv/images/worker.qcow2

It needs no cluster: it compiles the node's user-data, boots the image with it,
and stands in for the apiserver. A CA and a token of its own take the place of
the cluster's. As root on Linux the image boots by systemd-nspawn, elsewhere and
where there is none by QEMU. What the node writes is thrown away, and nothing
leaves it.`,
    )
    .action(async (node: string, options: RehearseOptions) => {
      const { rehearseCommand } = await import('./rehearse.ts');
      exit(await rehearseCommand(node, options, context));
    });

  program
    .command('approve-csrs')
    .argument('[description]', 'cluster.yaml', 'cluster.yaml')
    .addOption(
      new Option(
        '--from-file <file>',
        'judge what `kubectl get csr -o json` has saved, or - for stdin, and change nothing',
      ).conflicts(['dryRun', 'timeout', 'kubeconfig', 'context']),
    )
    .option('--inventory <file>', 'go by this, which `bake compile` writes for the approver, not by a description')
    .option('--dry-run', 'say what would be approved, and change nothing')
    .option('--explain <name>', 'tell why one request is approved or refused, and change nothing')
    .addOption(
      new Option('--watch', 'go on until Ctrl-C or SIGTERM, and approve whatever comes').conflicts([
        'fromFile',
        'dryRun',
        'explain',
      ]),
    )
    .addOption(
      new Option('--leader-elect', '--watch, of which several run, and only one at a time approves').implies({
        watch: true,
      }),
    )
    .addOption(listen())
    .addOption(
      new Option('--deny', 'deny what is refused; kubelet then asks again and again').conflicts([
        'fromFile',
        'dryRun',
        'explain',
      ]),
    )
    .addOption(timeout('how long certificates may take to come: 90s, 5m; 0s looks once').default(300, '5m'))
    .addOption(
      new Option('--keep-tokens', 'leave the bootstrap tokens of nodes that have joined').conflicts([
        'fromFile',
        'dryRun',
        'explain',
        'inventory',
      ]),
    )
    .option(...kubeconfig)
    .option(...contextName)
    .addOption(new Option('-o, --output <form>', 'how to print').choices(['table', 'json']).default('table'))
    .addOption(
      new Option('--audit-log <file>', 'add the verdicts to a file; to stderr when left out').conflicts('explain'),
    )
    .description("approve the nodes' certificates: what was planned, nothing else")
    .addHelpText(
      'after',
      `
Examples:
  bake approve-csrs
  bake approve-csrs my-cluster/cluster.yaml --timeout 10m --context guide
  bake approve-csrs --dry-run
  bake approve-csrs --from-file csrs.json
  kubectl get csr -o json | bake approve-csrs --from-file - -o json
  bake approve-csrs --watch --audit-log approvals.jsonl
  bake approve-csrs --leader-elect --listen :9441

It waits until every planned node has its certificate, or says which have none
and why. A request is approved only if it is exactly what its node may ask for:
its name and its address in the description. With \`approval: plan\` there, also
the client certificates with which nodes join: for who has the node's own token.
Every verdict is a line of JSON on stderr, or in the file of --audit-log.

The bootstrap token of a node that has its certificate is deleted from the
cluster and from the file beside the description. With --inventory it is not.

With --watch it prints a line for each certificate that comes, and for each that
has not come in --timeout after its approval. --leader-elect is for several that
stand in for each other: the Lease kube-system/bake-approver says who approves.`,
    )
    .action(async (file: string, options: ApproveCsrsOptions, command: Command) => {
      if (options.inventory !== undefined && command.args.length > 0) {
        command.error("error: option '--inventory <file>' stands for a description: give one of them");
      }
      const { approveCsrs } = await import('./approve-csrs.ts');
      exit(await approveCsrs(file, options, context));
    });

  const token = program
    .command('token')
    .description('the bootstrap tokens, which lie in one file beside the description')
    .addHelpText('after', '\nExamples:\n  bake token list\n  bake token rotate node1 && bake compile cluster.yaml');
  token
    .command('list')
    .addOption(description())
    .option('--cluster', 'compare with the tokens that the cluster has')
    .addOption(new Option(...kubeconfig).implies({ cluster: true }))
    .addOption(new Option(...contextName).implies({ cluster: true }))
    .option('--json', 'print JSON')
    .description('id, node and expiry of each token; never the secret')
    .addHelpText(
      'after',
      '\nExamples:\n  bake token list\n  bake token list --json -f my-cluster/cluster.yaml\n  bake token list --cluster',
    )
    .action(async (options: ListOptions) => {
      const { listTokens } = await import('./token.ts');
      exit(await listTokens(options, context));
    });
  token
    .command('rotate')
    .argument('[node...]', 'names of nodes; all that have not joined when left out')
    .addOption(description())
    .description('replace tokens, or make a node again that has joined; compile afterwards')
    .addHelpText(
      'after',
      '\nExamples:\n  bake token rotate\n  bake token rotate node1 node2 && bake compile cluster.yaml',
    )
    .action(async (nodes: string[], options: { file: string }) => {
      const { rotate } = await import('./token.ts');
      exit(await rotate(nodes, options, context));
    });

  return program;
}
