/** Loaded into a lastbyte that is measured: tells its parent, when asked, how much memory it uses. */

process.on('message', () => {
  // Twice: what the first collection finalizes, the second one frees.
  globalThis.gc?.();
  globalThis.gc?.();
  process.send({
    heapUsedBytes: process.memoryUsage().heapUsed,
    resources: process.getActiveResourcesInfo(),
  });
});
// The channel must not keep lastbyte from ending.
process.channel.unref();
// Whoever measures is gone: nobody is left to stop this process.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
