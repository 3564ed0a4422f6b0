/**
 * pg asks what it runs on, and where there is no `navigator`, as before Node 21, by making a Response, for which Node loads
 * an HTTP client that nobody uses. This one is what later versions have.
 */
export function nodeAsPgWants(): void {
  if ('navigator' in globalThis) return;
  Object.defineProperty(globalThis, 'navigator', {
    configurable: true,
    value: { userAgent: `Node.js/${process.versions.node.split('.')[0]}` },
  });
}
