import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { setTimeout } from 'node:timers/promises';
import { parseInventory, type Inventory } from '../csr/inventory.ts';
import { Failure } from '../diagnostics/failure.ts';
import { readTextFile } from '../edges/read-text-file.ts';
import type { Context } from './context.ts';
import type { InventorySource } from './inventory-source.ts';
import { terminal } from './terminal.ts';

/** The volume of a ConfigMap changes a minute or so after the ConfigMap. */
const LOOK_EVERY_MS = 2000;

/** A file with an inventory, gzipped or not, which may change. */
export class InventoryFile implements InventorySource {
  readonly #path: string;
  readonly #context: Context;
  #text: string;
  #last: Inventory;

  /** @throws Failure `inventory-unreadable` */
  constructor(file: string, context: Context) {
    this.#path = resolve(context.cwd, file);
    this.#context = context;
    const read = readTextFile(this.#path, unzipped);
    const inventory = read.kind === 'text' ? parseInventory(read.text) : undefined;
    if (read.kind === 'failed' || inventory === undefined) {
      const fact = read.kind === 'failed' ? read.reason : 'is no inventory';
      throw new Failure('inventory-unreadable', `${file} ${fact}; bake compile writes one in manifests/approver`);
    }
    this.#text = read.text;
    this.#last = inventory;
  }

  read(): Inventory {
    this.#look();
    return this.#last;
  }

  async untilChanged(signal: AbortSignal): Promise<void> {
    do await setTimeout(LOOK_EVERY_MS, undefined, { signal });
    while (!this.#look());
  }

  /** @returns whether there is another inventory in it now; what is none is told, and changes nothing */
  #look(): boolean {
    const read = readTextFile(this.#path, unzipped);
    // Where it is gone for a moment, it comes back.
    if (read.kind === 'failed' || read.text === this.#text) return false;
    this.#text = read.text;
    const inventory = parseInventory(read.text);
    if (inventory === undefined) {
      terminal(this.#context).talk(`${this.#path} is no inventory any more; the last one stays\n`);
      return false;
    }
    this.#last = inventory;
    return true;
  }
}

/** By the first bytes: https://www.rfc-editor.org/rfc/rfc1952#page-6 */
function unzipped(bytes: Buffer): Buffer {
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes, { maxOutputLength: 64 << 20 }) : bytes;
}
