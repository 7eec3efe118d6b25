import Handlebars from 'handlebars';

/** A file of the package below cloud-init/, manifests/, packer/ or scripts/. */
export interface PackageFile {
  /** From the package's root, with slashes: `packer/rootfs/etc/crictl.yaml`. */
  readonly path: string;
  readonly text: string;
}

/** The folders of the package whose files end up on a machine. */
export const templateFolders = ['cloud-init', 'manifests', 'packer', 'scripts'] as const;

/** The package's own files: some as they are, those that end in `.hbs` with values. */
export class Templates {
  readonly #files: ReadonlyMap<string, PackageFile>;
  readonly #compiled = new Map<string, Handlebars.TemplateDelegate>();
  readonly #handlebars = Handlebars.create();

  /** `NAME.partial.hbs` is what other templates include as `{{> NAME}}`. */
  constructor(files: Iterable<PackageFile>) {
    this.#files = new Map([...files].map((file) => [file.path, file]));
    for (const { path, text } of this.#files.values()) {
      const name = /([^/]+)\.partial\.hbs$/.exec(path)?.[1];
      if (name !== undefined) this.#handlebars.registerPartial(name, text);
    }
  }

  /** Files below a folder, in order of their paths. */
  list(folder: string): readonly PackageFile[] {
    return [...this.#files.values()]
      .filter((file) => file.path.startsWith(`${folder}/`))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /**
   * Fills a template. Values arrive as they are: quoting for the target's format is the view's job (quote-yaml.ts and its like).
   * @throws when a value that the template names is missing (except inside `#if` and `#each`, where Handlebars is silent)
   */
  render(path: string, view: object): string {
    let template = this.#compiled.get(path);
    if (template === undefined) {
      const file = this.#files.get(path);
      if (file === undefined) throw new Error(`no template ${path}`);
      template = this.#handlebars.compile(file.text, { noEscape: true, strict: true, preventIndent: true });
      this.#compiled.set(path, template);
    }
    return template(view);
  }
}
