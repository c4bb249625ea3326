import { once } from 'node:events';
import { fileStorage } from '../../lib/storage/files';

/** Run as a process of its own by files-processes.test.ts: `<root> <what> <name> <count>`; begins at a line on stdin. */
async function main([root, what, name, count]: readonly string[]): Promise<void> {
  const storage = fileStorage(root);
  process.stdout.write('ready\n');
  await once(process.stdin, 'data');
  const numbers = Array.from({ length: Number(count) }, (_, i) => i);
  if (what === 'race') {
    const body = `${name}-${'x'.repeat(10_000)}`;
    for (const i of numbers) {
      if (await storage.putIfAbsent(`race/${i}`, body)) process.stdout.write(`race/${i}\n`);
    }
  } else if (what === 'nest') {
    for (const i of numbers) await storage.put(name === 'object' ? `nest/${i}` : `nest/${i}/below`, name);
  } else {
    for (let i = 0; ; i++) {
      const body = Buffer.alloc(4 + 50_000 + (i % 7) * 100_000, i % 256);
      body.writeUInt32LE(body.length - 4);
      if (i % 3 === 0) await storage.putIfAbsent(`new/${process.pid}/${i}`, body);
      else await storage.put(`again/${i % 2}`, body);
    }
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
