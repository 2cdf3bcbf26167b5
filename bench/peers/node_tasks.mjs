// What the workers of Node's pools do.
export const echo = (payload) => payload;
export const pid = () => process.pid;
export const crash = () => process.exit(3);
