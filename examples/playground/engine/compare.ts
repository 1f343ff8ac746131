/** What the view Compare asks of its worker. */
export const compare = {};
