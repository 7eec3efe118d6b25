import { z } from 'zod';
import {
  balance,
  duration,
  endpoint,
  fileName,
  folder,
  freeText,
  imageReference,
  sha256,
  version,
  wholeSeconds,
} from './scalars.ts';

/** The version of a download and how it is checked. */
const component = {
  version: version.optional().describe('The upstream release.'),
  sha256: sha256.optional().describe('SHA-256 of the download, for a version that the catalog does not know.'),
  trustFirstDownload: z
    .literal(true)
    .optional()
    .describe('Accept the download without a SHA-256 to compare it with. Only for a version that no catalog knows.'),
};

export const componentShape = z.strictObject(component);

export const kubeNginxShape = z.strictObject({
  ...component,
  listen: endpoint.optional().describe('Where kubelet finds the apiservers on its own node.'),
  balance: balance.optional().describe('The load balancing directive of the upstream, such as: random two least_conn'),
  connectTimeout: duration.optional(),
  maxFails: z.int().min(0).optional(),
  failTimeout: wholeSeconds.optional(),
  proxyTimeout: duration.optional().describe('How long a connection may be silent before kube-nginx gives it up.'),
});

export const containerdShape = z.strictObject({
  ...component,
  build: z
    .enum(['dynamic', 'static'])
    .optional()
    .describe('The static build runs on any glibc; upstream publishes it from 1.7.0 on.'),
  directory: folder.optional().describe("containerd's root and state lie below it (the guide's CONTAINERD_DIR)."),
  sandboxImage: imageReference.optional().describe('The pause image.'),
  sandboxImageArchive: fileName
    .optional()
    .describe('A tarball of the pause image, relative to this file, which is put into the image.'),
});

export const kubeletShape = z.strictObject({
  ...component,
  directory: folder.optional().describe("kubelet's root is its subfolder kubelet (the guide's K8S_DIR)."),
  cgroupDriver: z.enum(['systemd', 'cgroupfs']).optional().describe("kubelet's and containerd's, which must agree."),
  config: z
    .record(z.string(), z.json())
    .optional()
    .describe("Further fields of KubeletConfiguration, merged over bake's; null removes a field."),
  flags: z.record(z.string(), freeText).optional().describe("Further flags of kubelet, without dashes; over bake's."),
});

export const controlPlaneShape = z.strictObject({
  apiServers: z
    .array(endpoint)
    .min(1)
    .describe('host:port of every apiserver; kube-nginx on each node balances over them.'),
  version: version.optional().describe("The apiservers' version; the guide's unless given."),
  certificateAuthority: fileName.describe("PEM file of the cluster's CA, relative to this file."),
  kubeletClientUser: freeText.optional().describe('The user that the apiserver is to a kubelet.'),
  kubeletClientCertificate: fileName
    .optional()
    .describe("PEM file of the apiserver's client certificate; the user is read from it."),
});
