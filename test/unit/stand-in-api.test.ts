import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import { Agent, request } from 'undici';
import { Authority } from '../../src/rehearse/authority.ts';
import { standInApi, type StandInApi } from '../../src/rehearse/stand-in-api.ts';
import { clientCsrOf, commonName, csrOf, goodParts, organization, p256 } from '../support/make-csr.ts';
import { sequence } from '../support/der.ts';

// What a real kubelet asks for, and how it likes the answers, is in test/e2e/rehearse.test.ts; here is what no good one does.
const api = suite('the stand-in of the apiserver');

const identity = { name: 'node1', address: '192.168.31.136', user: 'system:node:node1' };
const token = { node: 'node1', id: 'abcdef', secret: '0123456789abcdef', expires: '2020-08-03T14:12:04Z' };
const bearer = { authorization: `Bearer ${token.id}.${token.secret}` };
const requests = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

type Call = (
  method: 'GET' | 'POST',
  path: string,
  options?: { headers?: Record<string, string>; body?: object; login?: { cert: string; key: string } },
) => Promise<{ status: number; body: { status?: { certificate?: string } } }>;

function test(name: string, work: (call: Call, stand: StandInApi, authority: Authority) => Promise<void>): void {
  api(name, async () => {
    const authority = new Authority(new Date());
    const stand = standInApi({ identity, authority, token, host: '127.0.0.1' }, () => new Date());
    stand.server.listen(0, '127.0.0.1');
    await once(stand.server, 'listening');
    const { port } = stand.server.address() as AddressInfo;
    try {
      await work(
        async (method, path, { headers = {}, body, login } = {}) => {
          const dispatcher = new Agent({ connect: { ca: authority.certificate, ...login } });
          const { statusCode, body: answer } = await request(`https://127.0.0.1:${port}${path}`, {
            dispatcher,
            method,
            headers: { 'content-type': 'application/json', ...headers },
            body: body === undefined ? null : JSON.stringify(body),
          });
          const value = (await answer.json()) as { status?: { certificate?: string } };
          await dispatcher.destroy();
          return { status: statusCode, body: value };
        },
        stand,
        authority,
      );
    } finally {
      stand.server.close();
      stand.server.closeAllConnections();
    }
  });
}

test('issues a client certificate, by which its holder is the node', async (call, { asked }, authority) => {
  const { status, body } = await call('POST', requests, {
    headers: bearer,
    body: clientCsrOf(),
  });
  assert.equal(status, 201);
  const cert = Buffer.from(body.status?.certificate ?? '', 'base64').toString();
  const issued = new X509Certificate(cert);
  assert.equal(issued.subject, 'O=system:nodes\nCN=system:node:node1');
  assert.ok(issued.verify(new X509Certificate(authority.certificate).publicKey));
  assert.ok(issued.checkPrivateKey(createPrivateKey(p256.privateKey.export({ type: 'pkcs8', format: 'pem' }))));

  const login = { cert, key: p256.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  const node = { metadata: { name: 'node1' } };
  assert.equal((await call('GET', '/api/v1/nodes/node1', { login })).status, 404);
  assert.equal((await call('POST', '/api/v1/nodes', { login, body: node })).status, 201);
  assert.deepEqual((await call('GET', '/api/v1/nodes/node1', { login })).body, node);
  assert.deepEqual(
    asked.map(({ user, method, path, status: answered, name }) => [user, method, path, answered, name]),
    [
      ['system:bootstrap:abcdef', 'POST', requests, 201, 'csr-prd8t'],
      ['system:node:node1', 'GET', '/api/v1/nodes/node1', 404, undefined],
      ['system:node:node1', 'POST', '/api/v1/nodes', 201, 'node1'],
      ['system:node:node1', 'GET', '/api/v1/nodes/node1', 200, undefined],
    ],
  );
});

const refused = [
  ['token-of-other-node', clientCsrOf({ subject: sequence(organization, commonName('system:node:node2')) })],
  ['usages-other', clientCsrOf({}, { spec: { usages: ['digital signature', 'server auth'] } })],
  ['content-unexpected', clientCsrOf({ attributes: goodParts().attributes })],
  // Only the node itself may ask for it.
  ['requester-not-a-node', csrOf()],
] as const;

for (const [reason, body] of refused) {
  test(`issues nothing where the cluster would not: ${reason}`, async (call, { asked }) => {
    const { body: answer } = await call('POST', requests, { headers: bearer, body });
    assert.deepEqual(answer.status, {});
    const [verdict] = asked.map(({ request: posted }) => posted?.verdict);
    assert.ok(verdict?.kind === 'refuse');
    assert.equal(verdict.reason, reason);
  });
}

test('lets in the token of the rehearsal only, and that one to requests only', async (call, { asked }) => {
  const other = { authorization: 'Bearer abcdef.0000000000000000' };
  assert.equal((await call('GET', requests, { headers: other })).status, 401);
  assert.equal((await call('GET', requests)).status, 401);
  assert.equal((await call('GET', requests, { headers: bearer })).status, 200);
  assert.equal((await call('GET', '/api/v1/nodes/node1', { headers: bearer })).status, 403);
  assert.deepEqual(
    asked.map(({ user }) => user),
    [undefined, undefined, 'system:bootstrap:abcdef', 'system:bootstrap:abcdef'],
  );
});

test('takes a certificate of another authority for none', async (call) => {
  const stranger = new Authority(new Date());
  const key = p256.publicKey.export({ type: 'spki', format: 'der' });
  const cert = stranger.issue({
    organization: 'system:nodes',
    commonName: identity.user,
    key,
    names: [],
    use: 'client',
  });
  const login = { cert, key: p256.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  assert.equal((await call('GET', '/api/v1/nodes/node1', { login })).status, 401);
});

api.run();
