import type { CodeEntry } from './code-entry.ts';

/** What keeps bake from a cluster that runs. */
export const clusterCodes = {
  'kubeconfig-unusable': {
    severity: 'error',
    summary: 'the kubeconfig leads to no cluster',
    story: `bake finds it as kubectl does: --kubeconfig, else the files of $KUBECONFIG, else ~/.kube/config, else the service
account of the Pod that it runs in; --context chooses in it. It takes client certificates, tokens, files of tokens and
exec plugins, and goes through the proxy of proxy-url or HTTPS_PROXY. Passwords and auth-provider, which Kubernetes has
given up, and SOCKS it does not know:
\`kubectl get csr -o json | bake approve-csrs --from-file -\` judges all the same. docs/kubeconfig.md has the list.`,
  },
  'cluster-unreachable': {
    severity: 'error',
    summary: 'the apiserver has not answered',
    story: `bake has asked again and again until the time was up (--timeout), and the message says how the last attempt went.
Nothing is lost: requests wait in the cluster for a day, and kubelet makes a new one after that.`,
  },
  'cluster-untrusted': {
    severity: 'error',
    summary: 'the apiserver could not be trusted, or is not there',
    story: `Its certificate is not signed by the kubeconfig's certificate-authority, is for another name or has expired; or
there is no such host, or the proxy wants a login. Asking again would not help. tls-server-name in the kubeconfig says by
which name to know it.`,
  },
  'cluster-refuses': {
    severity: 'error',
    summary: 'the apiserver refuses what bake asks',
    story: `The login is no longer good, or may not do this. bake lists certificatesigningrequests, updates
certificatesigningrequests/approval, and approves for the signer kubernetes.io/kubelet-serving (the verb approve on
signers), with \`approval: plan\` also for kubernetes.io/kube-apiserver-client-kubelet; with --leader-elect it gets and updates
the Lease kube-system/bake-approver, and creates it where manifests/approver has not. Unless --keep-tokens is given it lists and
deletes Secrets in kube-system, bootstrap tokens only; without that right it approves all the same.
https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#authorization`,
  },
  'nodes-without-certificate': {
    severity: 'error',
    summary: 'some planned nodes have no serving certificate yet',
    story: `The table says for each how far it has come, and why no further. Without that certificate kubectl logs and exec
do not work on the node. With \`approval: plan\` a node may still wait for its client certificate, with which it asks for the
other. What was approved stays approved; run bake approve-csrs again once the cause is gone.`,
  },
  'address-unusable': {
    severity: 'error',
    summary: 'bake cannot listen where --listen says',
    story: `Another program listens there, the address is not of this machine, or the port is below 1024 and not for
everybody. \`--listen :9441\` is that port on every address, \`--listen 127.0.0.1:9441\` on this machine only.`,
  },
  'nodes-without-request': {
    severity: 'error',
    summary: 'of some planned nodes there is no request, and whether they have a certificate cannot be seen',
    story: `All others have theirs. kube-controller-manager removes a request an hour after its certificate was issued, so
a node of which there is none has either not asked yet or has its certificate for longer than that. (One whose
bootstrap token a run has deleted is remembered in the token file, for the CA of the description, and does not count.) On a
node that has not asked, bake-check tells how far it got; \`kubectl logs\` of a Pod there shows whether it serves.`,
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;
