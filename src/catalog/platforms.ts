/** Where user-data is pasted, and what else can be. */
export interface Platform {
  /** Bytes of user-data as pasted, before any base64; null where nothing counts them. */
  readonly userDataLimit: number | null;
  /** Whether meta-data is ours to give; elsewhere the platform makes it, and the host name goes into user-data. */
  readonly takesMetaData: boolean;
  readonly takesNetworkConfig: boolean;
}

const platforms = {
  /**
   * Files on a seed disk or below /var/lib/cloud/seed/nocloud; cloud-init reads them whole. Only what carries them can
   * be small, which bake cannot know.
   * https://docs.cloud-init.io/en/22.4/reference/datasources/nocloud.html
   */
  nocloud: { userDataLimit: null, takesMetaData: true, takesNetworkConfig: true },

  /**
   * "User data is limited to 16 KB, in raw form, before it is base64-encoded."
   * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html
   */
  ec2: { userDataLimit: 16_384, takesMetaData: false, takesNetworkConfig: false },

  /**
   * Nova counts 65,535 bytes of base64. Four letters carry three bytes: floor(65,535 / 4) * 3.
   * https://docs.openstack.org/api-ref/compute/#create-server
   */
  openstack: { userDataLimit: 49_149, takesMetaData: false, takesNetworkConfig: false },
} as const satisfies Readonly<Record<string, Platform>>;

export type PlatformName = keyof typeof platforms;

export const platformNames = Object.keys(platforms) as PlatformName[];

/** Throws on any other name: the rules of the description let none through. */
export function findPlatform(name: string): Platform {
  const platform = platformNames.find((known) => known === name);
  if (platform === undefined) throw new Error(`no platform is called ${name}`);
  return platforms[platform];
}
