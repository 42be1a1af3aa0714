export default {
  // Next would take the outermost folder with a lock file, and with it whatever pages and middleware lie there.
  turbopack: { root: import.meta.dirname },
};
