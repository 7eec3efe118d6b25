import { once } from 'node:events';
import type { Inventory } from '../csr/inventory.ts';

/** What is planned, as it is now. */
export interface InventorySource {
  read(): Inventory;
  /** Waits until there is another inventory than was read last. @throws what ends it: the signal */
  readonly untilChanged: (signal: AbortSignal) => Promise<void>;
}

/** One that stays as it is. */
export function fixedInventory(inventory: Inventory): InventorySource {
  return {
    read: () => inventory,
    untilChanged: async (signal) => {
      if (!signal.aborted) await once(signal, 'abort');
      signal.throwIfAborted();
    },
  };
}
