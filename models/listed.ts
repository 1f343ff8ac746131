const MOST = 1000;

/** All items in one message, but of a hostile file no more than a message can hold. */
export function listed(items: readonly string[]): string {
  const rest = items.length - MOST;
  return items.slice(0, MOST).join('; ') + (rest > 0 ? `; and ${rest} more` : '');
}
