import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Subject } from './rule.ts';

/** The user's own scripts would only be found wanting at the end of a bake. */
export function* checkScripts({ spec, inputs }: Subject): Iterable<Diagnostic> {
  for (const [index, file] of (spec.image?.scripts ?? []).entries()) {
    const found = { path: ['image', 'scripts', index], at: 'value' } as const;
    const read = inputs.files.get(file);
    if (read?.kind !== 'text') {
      const remedy = "copy it there, or correct the path, which starts from this file's folder";
      yield { ...found, code: 'script-unreadable', message: `${file} ${read?.reason ?? 'was not read'}; ${remedy}` };
    } else if (!/^#!\/.*[^\r]\n/.test(read.text)) {
      const fact = read.text.includes('\r\n') ? 'its lines end as on Windows' : 'it does not say what runs it';
      const message = `${file} cannot be started: ${fact}; its first line should be such as #!/bin/bash`;
      yield { ...found, code: 'script-without-interpreter', message };
    }
  }
}
