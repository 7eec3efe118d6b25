import assert from 'node:assert/strict';
import { suite } from 'uvu';
import { readWritten } from '../../src/description/read-description.ts';
import { plain } from '../../src/diagnostics/paint.ts';
import { renderDiagnostics } from '../../src/diagnostics/render.ts';

// What no file in test/errors can show: bytes that an editor would lose, and sizes that nobody would commit.
const yaml = suite('odd YAML');

/** The codes that a text gets, and where: `control-character 1:4`. */
function mistakesIn(text: string): string[] {
  const read = readWritten(text);
  if (read.kind === 'good') return [];
  assert.ok(renderDiagnostics(read.diagnostics, { name: 'cluster.yaml', text }, plain).length < 100_000);
  return read.diagnostics.map(({ code, place }) => `${code} ${place.line}:${place.column}`);
}

const good = `version: 1
controlPlane:
  apiServers: [192.168.31.44:6443]
  certificateAuthority: ca.pem
network: { podCIDR: 172.30.0.0/16, serviceCIDR: 10.254.0.0/16, dnsAddress: 10.254.0.2 }
nodes:
  - name: node1
    address: 192.168.31.136
`;

yaml('CRLF, a byte order mark and a missing last line break are fine', () => {
  assert.deepEqual(mistakesIn(good), []);
  assert.deepEqual(mistakesIn(good.replaceAll('\n', '\r\n')), []);
  assert.deepEqual(mistakesIn(`\ufeff${good}`), []);
  assert.deepEqual(mistakesIn(good.trimEnd()), []);
});

yaml('CRLF and a byte order mark do not move the caret', () => {
  assert.deepEqual(mistakesIn(good.replace('136', '1366').replaceAll('\n', '\r\n')), ['bad-address 8:14']);
  assert.deepEqual(mistakesIn(`\ufeff${good}extra: 1\n`), ['unknown-key 9:1']);
});

yaml('control characters are found where they stand', () => {
  assert.deepEqual(mistakesIn('version: 1\nname: a\0b\n'), ['control-character 2:8']);
  assert.deepEqual(mistakesIn('\0v\0e\0r'), ['control-character 1:1']);
  assert.deepEqual(mistakesIn('version: 1\rname: a\r'), ['control-character 1:11']);
  assert.deepEqual(mistakesIn('name: \u009b31m'), ['control-character 1:7']);
});

yaml('no depth and no length takes the process down', () => {
  assert.deepEqual(mistakesIn('['.repeat(1_000_000)), ['too-deep 1:101']);
  assert.deepEqual(mistakesIn('- '.repeat(100_000)), ['too-deep 1:200']);
  assert.deepEqual(mistakesIn('{a: '.repeat(100_000)), ['too-deep 1:398']);
  assert.deepEqual(mistakesIn(`name: ${'x'.repeat(3_000_000)}\n`).slice(0, 1), ['missing-key 1:1']);
  assert.deepEqual(mistakesIn(`name: "${'x'.repeat(3_000_000)}\n`), ['yaml-syntax 1:7']);
});

yaml('names that JavaScript inherits are keys like any other', () => {
  assert.deepEqual(mistakesIn(`${good}constructor: 1\n`), ['unknown-key 9:1']);
  assert.deepEqual(mistakesIn(`${good}kubelet: { config: { a: { __proto__: 1 } } }\n`), ['unknown-key 9:27']);
});

yaml('a quote at the start of a line of text opens nothing', () => {
  assert.deepEqual(
    mistakesIn(`${good}image:\n  amazonEbs:\n    tags:\n      note: |\n        "two\n        lines\n`),
    [],
  );
  assert.deepEqual(mistakesIn(`${good}# "a comment\n`), []);
});

yaml('an alias means its anchor, also with a mistake in it', () => {
  const nodes = `${good.replace('nodes:\n', 'nodes:\n  - &node { name: node2, address: 1.2.3 }\n')}  - *node\n`;
  // Both nodes have the mistake; it is written once, and said once.
  assert.deepEqual(mistakesIn(nodes), ['bad-address 7:35']);
});

yaml('nothing that a terminal acts on is shown', () => {
  const shown = shownFor(`${good}name: "\\e[31mred\\u202e"\n`);
  assert.match(shown, /"\\u001b\[31mred\\u\{202e\}" must be one line of text/);
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch(shownFor('name: a\u202eb\nname: "\u001b[31m"\n'), /\u001b|\u202e/);
});

function shownFor(text: string): string {
  const read = readWritten(text);
  return read.kind === 'good' ? '' : renderDiagnostics(read.diagnostics, { name: 'cluster.yaml', text }, plain);
}

yaml.run();
