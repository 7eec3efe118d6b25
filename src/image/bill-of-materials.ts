// By their subpaths: the whole brings validators, which look for files beside themselves.
import * as Enums from '@cyclonedx/cyclonedx-library/Enums';
import * as Models from '@cyclonedx/cyclonedx-library/Models';
import * as Serialize from '@cyclonedx/cyclonedx-library/Serialize';
import * as Spec from '@cyclonedx/cyclonedx-library/Spec';
import { PackageURL } from 'packageurl-js';

export interface Release {
  readonly name: string;
  readonly version: string;
  readonly url: string;
  readonly sha256: string;
}

export interface Bill {
  readonly image: string;
  /** ubuntu-18.04 or the like. */
  readonly os: string;
  readonly releases: readonly Release[];
  /** Lines of dpkg's: name, version, architecture, with tabs between. */
  readonly packages: string;
  /** What the image was made from, so that it can be traced: name -> SHA-256. */
  readonly inputs: Readonly<Record<string, string>>;
  /** The disk image, where there is one. */
  readonly sha256?: string;
}

/**
 * A software bill of materials: everything that is in an image, as CycloneDX 1.6 in JSON
 * (https://cyclonedx.org/docs/1.6/json/). It holds no time and no random number: the same image has the same bill.
 */
export function billOfMaterials(bill: Bill): string {
  const { Component, ComponentRepository, Bom, Property } = Models;
  const document = new Bom();
  const image = new Component(Enums.ComponentType.OperatingSystem, bill.image, { bomRef: bill.image });
  if (bill.sha256 !== undefined) image.hashes.set(Enums.HashAlgorithm['SHA-256'], bill.sha256);
  for (const [name, digest] of Object.entries(bill.inputs))
    image.properties.add(new Property(`bake:input:${name}`, digest));
  document.metadata.component = image;
  document.components = new ComponentRepository([
    ...bill.releases.map(releaseComponent),
    ...bill.packages
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => packageComponent(line, bill.os)),
  ]);
  for (const { bomRef } of document.components) image.dependencies.add(bomRef);
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(document, { sortLists: true, space: 2 })}\n`;
}

function releaseComponent({ name, version, url, sha256 }: Release): Models.Component {
  const purl = new PackageURL('generic', undefined, name, version, {
    download_url: url,
    checksum: `sha256:${sha256}`,
  }).toString();
  const component = new Models.Component(Enums.ComponentType.Application, name, { version, purl, bomRef: purl });
  component.hashes.set(Enums.HashAlgorithm['SHA-256'], sha256);
  component.externalReferences.add(new Models.ExternalReference(url, Enums.ExternalReferenceType.Distribution));
  return component;
}

function packageComponent(line: string, os: string): Models.Component {
  const [name = '', version = '', arch = ''] = line.split('\t');
  const [distribution = ''] = os.split('-');
  const purl = new PackageURL('deb', distribution, name, version, { arch, distro: os }).toString();
  return new Models.Component(Enums.ComponentType.Library, name, { version, purl, bomRef: purl });
}
