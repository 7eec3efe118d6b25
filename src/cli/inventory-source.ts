import { once } from 'node:events';
import type { Inventory } from '../csr/inventory.ts';

/** What is planned, as it is now. */
export interface InventorySource {
  readonly current: Inventory;
  /** Waits until there is another inventory. @throws what ends it: the signal */
  readonly untilChanged: (signal: AbortSignal) => Promise<void>;
}

/** One that stays as it is. */
export function fixedInventory(current: Inventory): InventorySource {
  return {
    current,
    untilChanged: async (signal) => {
      if (!signal.aborted) await once(signal, 'abort');
      signal.throwIfAborted();
    },
  };
}
