/**
 * Mutual exclusion among the contexts of this profile, as Web Locks have it: exclusive, first come first served, freed when the work ends or its context does. They save work; nothing may rest
 * on them: a lock can be stolen, and a browser may have none.
 */
export interface Locks {
  /**
   * Does `work` while holding the lock of that name.
   *
   * @param options.ifAvailable - don't wait: when somebody else holds it, `work` is called at once with `false`
   * @param options.steal - take it from whoever holds it, before all who wait; the holder's own call rejects, and its work goes on
   * @param options.signal - ends the waiting, not the work: rejects with its reason
   * @throws what `work` throws, and the platform's error when there can be no lock
   */
  request<T>(
    name: string,
    options: { readonly ifAvailable?: boolean; readonly steal?: boolean; readonly signal?: AbortSignal },
    work: (granted: boolean) => Promise<T>,
  ): Promise<T>
}
