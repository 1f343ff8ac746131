/** What the view Train asks of its worker. */
export const train = {};
