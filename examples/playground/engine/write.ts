/** What the view Write asks of its worker. */
export const write = {};
