/** Entry of `npm run demo`: makes TypeScript readable for Nodes that cannot read it, then runs demo.ts. */

import './typescript.js';

await import('./demo.ts');
