import type { CodeEntry } from './code-entry.ts';

/** Values that do not fit each other, the files that the description names, or the machines that it is for. */
export const meaningCodes = {
  'duplicate-node-name': {
    severity: 'error',
    summary: 'two nodes have one name',
    story: `The name is what Kubernetes tells nodes apart by: two machines with one name would take turns at being that
node, and each would get the other's certificates refused.`,
  },
  'same-bootstrap-group': {
    severity: 'error',
    summary: 'two nodes would share a bootstrap group',
    story: `Each node gets a bootstrap token of its own, in the group system:bootstrappers:NODE. A group cannot hold dots,
so they become dashes, and a.b and a-b become the same. Certificates are approved by this group, so each node needs its
own: rename one of them.`,
  },
  'duplicate-address': {
    severity: 'error',
    summary: 'an IP address is used twice',
    story: `Two machines with one address cannot both be reached. Addresses are compared by what they mean:
fd00:0::44 is fd00::44.`,
  },
  'unusable-address': {
    severity: 'error',
    summary: 'no node can have this address',
    story: `kubelet refuses loopback, link-local, multicast and unspecified addresses as its node's own, and the first and
last address of an IPv4 network are the network's name and its broadcast address.`,
  },
  'duplicate-mac': {
    severity: 'error',
    summary: 'a MAC address is used twice',
    story: `The MAC address finds an interface on its machine. Two interfaces with one are two lines copied, and one of
them would configure the wrong interface, or none.`,
  },
  'duplicate-api-server': {
    severity: 'error',
    summary: 'an apiserver is listed twice',
    story: `kube-nginx would give it twice its share of the connections, and count its failures apart.`,
  },
  'api-server-on-every-node': {
    severity: 'warning',
    summary: 'the address of an apiserver means each node itself',
    story: `A loopback address is another machine on every node. That is right where each node runs an apiserver of its
own, and nowhere else; mostly the address was copied from a kubeconfig on the control plane.`,
  },
  'certificate-unreadable': {
    severity: 'error',
    summary: 'a certificate file cannot be read',
    story: `File names in a description are relative to the description itself, not to where bake is started. The file
must be PEM text; \`openssl x509 -inform der -in FILE\` makes PEM of DER.`,
  },
  'certificate-not-pem': {
    severity: 'error',
    summary: 'a file holds no certificate',
    story: `A PEM certificate is the text between -----BEGIN CERTIFICATE----- and -----END CERTIFICATE-----. Certificate
requests, public keys and PKCS #12 files are other things.`,
  },
  'certificate-malformed': {
    severity: 'error',
    summary: 'a certificate cannot be decoded',
    story: `The text looks like a certificate, and what it encodes is none; mostly the end is missing. Compare it with
\`openssl x509 -noout -text -in FILE\` where it comes from, and copy it again.`,
  },
  'private-key': {
    severity: 'error',
    summary: 'a private key stands where a public file or key belongs',
    story: `What is named here is copied to every node and into every user-data, where many can read it. A private key in
it would be known to all of them. Name the file that holds the certificate, or write the public half of the SSH key. If
the key has already been copied anywhere, replace it.`,
  },
  'certificate-not-ca': {
    severity: 'error',
    summary: 'the certificate authority is none',
    story: `kubelet trusts whoever shows a certificate that this authority signed. A certificate without CA:TRUE in its
basic constraints, or without keyCertSign in its key usage, signs nothing that anyone accepts. Often the apiserver's own
certificate was named by mistake. Every certificate in the file must be an authority.`,
  },
  'certificate-expired': {
    severity: 'error',
    summary: 'a certificate has expired',
    story: `Nodes would refuse every connection from their first boot on. Renew the certificate, and put the new one in
its place.`,
  },
  'certificate-not-yet-valid': {
    severity: 'error',
    summary: 'a certificate is not valid yet',
    story: `Either the certificate was made on a machine whose clock is ahead, or the clock of this one is behind.
\`date -u\` shows it.`,
  },
  'client-certificate-without-name': {
    severity: 'error',
    summary: "the apiserver's client certificate names no user",
    story: `kubelet takes the CN of a client certificate's subject as the user's name, and the RBAC rules that bake writes
allow that user to call kubelets. Without a CN nobody would be allowed.`,
  },
  'client-certificate-usage': {
    severity: 'error',
    summary: "the apiserver's client certificate is not for clients",
    story: `A certificate with an extended key usage serves those usages only, and kubelet asks for clientAuth. A
serving certificate (serverAuth alone) was probably named; the apiserver has another under
--kubelet-client-certificate.`,
  },
  'client-certificate-foreign': {
    severity: 'error',
    summary: "the apiserver's client certificate is of another authority",
    story: `kubelet accepts client certificates of controlPlane.certificateAuthority only, so it would answer the apiserver
with 401, and kubectl logs and exec would fail on every node.`,
  },
  'client-user-differs': {
    severity: 'error',
    summary: 'the user and the client certificate disagree',
    story: `The user that the apiserver is to a kubelet is the CN of its client certificate. Where both are written and
differ, the RBAC rules would be for somebody who never comes. Remove kubeletClientUser, or name the right certificate.`,
  },
  'unusable-network': {
    severity: 'error',
    summary: 'a network cannot be routed',
    story: `Loopback (127.0.0.0/8), link-local, multicast and unspecified networks never leave a machine, or mean
something else. A frequent slip is 127.30.0.0/16 for 172.30.0.0/16.`,
  },
  'overlapping-networks': {
    severity: 'error',
    summary: "the pods' and the services' networks overlap",
    story: `An address in both would be a pod and a service at once, and kube-proxy would send its packets to the service.
Take two networks apart from each other, such as 172.30.0.0/16 and 10.254.0.0/16.`,
  },
  'node-network-overlap': {
    severity: 'warning',
    summary: "a network of the nodes overlaps the pods' or the services'",
    story: `The more precise route wins, so that machines in the overlap cannot be reached from pods and nodes. It works
as long as there are none.`,
  },
  'address-in-cluster-network': {
    severity: 'error',
    summary: "a machine's address lies in the pods' or services' network",
    story: `Addresses of these networks belong to pods and services on every node: packets to such an address go to the CNI
plugin or to kube-proxy, and never reach the machine.`,
  },
  'mixed-families': {
    severity: 'error',
    summary: 'IPv4 and IPv6 are mixed',
    story: `Pods, services and nodes of a single-stack cluster are all IPv4 or all IPv6. kubelet reports one address of the
node's, and it must be of the family in which the cluster speaks.`,
  },
  'dns-address-outside': {
    severity: 'error',
    summary: "the DNS service's address is outside the services' network",
    story: `The cluster's DNS is a service, and Kubernetes gives services addresses of the services' network only. kubelet
writes this address into the resolv.conf of every pod. It must be the one that the DNS service has, or will get.`,
  },
  'dns-address-reserved': {
    severity: 'error',
    summary: "the DNS service's address is taken",
    story: `Kubernetes gives the first address of the services' network to the service \`kubernetes\`, and never gives the
network's own address, or the last one of an IPv4 network. The second (10.254.0.2) or tenth (10.96.0.10) is usual.`,
  },
  'listen-not-loopback': {
    severity: 'error',
    summary: 'kube-nginx listens to more than its own node',
    story: `kube-nginx passes connections on to the apiservers, for kubelet on the same node. Its address is the same in the
kubeconfig of every node, so it must be a loopback address; another one would not exist on most nodes, and 0.0.0.0 would
open the apiservers to everybody who reaches a node. The apiserver's certificate must be good for this address.`,
  },
  'listen-port-taken': {
    severity: 'error',
    summary: "kube-nginx's port is taken on the same machine",
    story: `An apiserver listens on all addresses of its machine unless --bind-address says otherwise. Where that machine is
a node too, kube-nginx could not listen on the same port, and kubelet would never start to work.`,
  },
  'interface-unidentified': {
    severity: 'error',
    summary: 'nothing says which interface is meant',
    story: `An interface is found by its name or by its MAC address. With both, the interface of that MAC address is given
the name.`,
  },
  'duplicate-interface': {
    severity: 'error',
    summary: 'an interface is described twice',
    story: `netplan takes one description for each name, and the later would replace the earlier. Put all addresses of an
interface into one list.`,
  },
  'vlan-with-mac': {
    severity: 'error',
    summary: 'a VLAN is to be found by a MAC address',
    story: `A VLAN is made, not found: it stands on the interface that its link names, and has the MAC address of that.`,
  },
  'unknown-link': {
    severity: 'error',
    summary: 'a VLAN stands on an interface that is not there',
    story: `The link of a VLAN is the name of another interface of the same node, which must be in the list too, if only
with its name. netplan refuses the whole file otherwise, and the node has no network at all.`,
  },
  'duplicate-vlan': {
    severity: 'error',
    summary: 'a VLAN is made twice',
    story: `Linux makes each VLAN id once on an interface. Put the addresses of both into one.`,
  },
  'bad-mtu': {
    severity: 'error',
    summary: 'an MTU cannot work',
    story: `A VLAN's packets travel in those of its link, which must be as large. IPv6 asks for 1280 bytes at least; Linux
takes it off an interface with less.`,
  },
  'address-not-configured': {
    severity: 'error',
    summary: 'no interface gets the planned address',
    story: `kubelet is told to use the planned address, certificates are approved for it, and other nodes find it there. All
interfaces of this node have static addresses, and none of them is the planned one.`,
  },
  'bad-gateway': {
    severity: 'error',
    summary: 'a gateway cannot be reached',
    story: `A gateway is a router in a network of the interface itself, since a node needs it to reach anything else. With
DHCP the gateway comes from there.`,
  },
  'several-gateways': {
    severity: 'error',
    summary: 'a node has two gateways of one family',
    story: `Two default routes of the same weight make Linux take either, so that answers leave by another interface than
questions came in. Keep the gateway of the interface that has the planned address.`,
  },
  'unreachable-api-servers': {
    severity: 'error',
    summary: 'a node has no way to any apiserver',
    story: `All interfaces of this node are static, no apiserver lies in their networks, and no gateway leads out of them.
The node would wait for its certificate for ever.`,
  },
  'nameserver-loop': {
    severity: 'error',
    summary: "a nameserver leads back to the cluster's own DNS",
    story: `CoreDNS passes on what it does not know to the nameservers of its node. If one of those is CoreDNS itself, by its
service or by a loopback address inside its own pod, it asks itself, notices the loop and ends.`,
  },
  'resolver-without-interface': {
    severity: 'error',
    summary: 'nameservers belong to no interface',
    story: `Nameservers and search domains are written with the interface of the planned address. A node without interfaces
takes everything from DHCP. Add the interface by its name or MAC address; without addresses it still asks DHCP.`,
  },
  'unknown-digest': {
    severity: 'error',
    summary: 'nothing says what a download must be',
    story: `Every download is compared with a SHA-256 that was known before. bake's catalog has those on which public
catalogs agree; for any other version write sha256, from a source that you trust, or trustFirstDownload: true to take
what comes first and keep to it from then on.`,
  },
  'digest-and-trust': {
    severity: 'error',
    summary: 'sha256 and trustFirstDownload contradict each other',
    story: `With sha256 a download must be exactly one file, with trustFirstDownload it may be any. Keep sha256 if you have
it.`,
  },
  'needless-trust': {
    severity: 'warning',
    summary: 'the catalog knows this download',
    story: `trustFirstDownload is for versions without a known SHA-256. This one is known, and is compared.`,
  },
  'digest-differs': {
    severity: 'warning',
    summary: 'the SHA-256 is not the one of the upstream release',
    story: `The catalog has another SHA-256 for this very version. The one in the description wins, which is right for a
build of your own, and a reason to look twice otherwise.`,
  },
  'cannot-work-together': {
    severity: 'error',
    summary: 'two things are known not to work together',
    story: `bake's catalog of combinations says that these versions or settings fail on a node: a binary that needs a newer
glibc than the system has, a kubelet that cannot handle the system's cgroups, a release that upstream does not publish
for the architecture. The message says which one to change; the notes show where the others are written.`,
  },
  'unknown-kubelet-field': {
    severity: 'error',
    summary: 'kubelet does not know a field',
    story: `kubelet reads its configuration strictly: with a field that its version does not know it does not start. The
catalog has the fields of every supported minor version.
https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/`,
  },
  'wrong-kubelet-type': {
    severity: 'error',
    summary: "a kubelet field's value has the wrong type",
    story: `kubelet does not start with a value of another type than the field's: "20" in quotes is text and no number, and
reserved resources are text even where they look like numbers.`,
  },
  'bad-kubelet-value': {
    severity: 'error',
    summary: 'kubelet would refuse a value',
    story: `The type is right, and kubelet still ends at its start with this value, on every node. The limits are those of
kubelet's own validation.
https://github.com/kubernetes/kubernetes/blob/v1.18.6/pkg/kubelet/apis/config/validation/validation.go`,
  },
  'reserved-kubelet-field': {
    severity: 'error',
    summary: 'bake writes this kubelet field itself',
    story: `Something else goes by this field, so it has a setting of its own, or differs from node to node.`,
  },
  'unknown-kubelet-flag': {
    severity: 'error',
    summary: 'kubelet does not know a flag',
    story: `With a flag that its version does not have, kubelet ends at once, on every node. Names are written without
dashes. The catalog has the flags of every supported minor version.`,
  },
  'reserved-kubelet-flag': {
    severity: 'error',
    summary: 'bake writes this kubelet flag itself',
    story: `Other files go by the value of this flag (the bootstrap kubeconfig, the unit, containerd's socket), so it has a
setting of its own, or none.`,
  },
  'null-source-without-host': {
    severity: 'error',
    summary: 'the machine to bake is not named',
    story: `With the source null, Packer makes no machine: it bakes an existing one over SSH, which image.null.host names.`,
  },
  'unknown-time-zone': {
    severity: 'error',
    summary: 'there is no such time zone',
    story: `Time zones are the files below /usr/share/zoneinfo, named after a continent and a large city, with the same upper
and lower case: Asia/Shanghai (there is no Asia/Beijing), Europe/Berlin, UTC.`,
  },
  'target-takes-no-network': {
    severity: 'error',
    summary: 'network settings do not reach the node',
    story: `Only NoCloud takes a network-config beside user-data. On EC2 and OpenStack the platform configures interfaces,
and cloud-init asks it. Set addresses up there, and remove them here; each node's planned address stays.`,
  },
  'target-of-other-image': {
    severity: 'error',
    summary: 'an AMI runs nowhere but on EC2',
    story: `image.source amazon-ebs bakes an AMI, and user-data for another platform would never be read there.`,
  },
  'user-data-too-long': {
    severity: 'error',
    summary: 'user-data is longer than the target takes',
    story: `A platform refuses user-data that is too long, or cuts it off, and a node would come up without what was cut.
userData.encoding: gzip makes it several times shorter; cloud-init unpacks it. What is left is mostly the certificate
authority and kubelet's configuration.`,
  },
  'bad-token-ttl': {
    severity: 'error',
    summary: 'bootstrap tokens live too short or too long',
    story: `A token is what a machine joins with at its first boot. compile replaces tokens with less than an hour left, so
one of less than two hours would be new each time, and user-data already pasted would be worthless. A day, as in the
guide, leaves time to create the machines; years are a mistake in the unit.`,
  },
  'bad-ssh-key': {
    severity: 'error',
    summary: 'a line is no public SSH key',
    story: `sshd passes over a line in authorized_keys that it cannot read, without a word, so nobody could log in. A public
key is one line: a type, the key in base64, a comment. Line breaks from a terminal or a mail cut it.`,
  },
  'sandbox-image-by-digest': {
    severity: 'error',
    summary: 'a pause image from an archive is named by its digest',
    story: `\`ctr images import\` gives an image the names that are written in its archive: a registry and a tag. A name with
@sha256: is none of them, so that the image would be there and nobody would find it.`,
  },
  'script-unreadable': {
    severity: 'error',
    summary: 'a script of yours cannot be read',
    story: `The scripts under image.scripts are read when the description is: they go into the template as they are, and
run as root in the image before it is checked.`,
  },
  'script-without-interpreter': {
    severity: 'error',
    summary: 'a script does not say what runs it',
    story: `The kernel starts a script by its first line, #! and the path of its interpreter. A line that ends in a
carriage return, as on Windows, names an interpreter that does not exist.`,
  },
  'mirror-without-security': {
    severity: 'error',
    summary: 'an apt mirror without one for security updates',
    story: `Debian's security updates are an archive of their own, which no mirror of the main one holds
(https://wiki.debian.org/DebianRepository). Ubuntu's are part of it.`,
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;
