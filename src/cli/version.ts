import packageJson from '../../package.json' with { type: 'json' };

/** bake's own version. */
export const version: string = packageJson.version;
