// Driver: Emmett's PostgreSQL event store, one process of Node, one task as JSON on its input.
import { createHash, randomUUID } from 'node:crypto';
import { isExpectedVersionConflictError } from '@event-driven-io/emmett';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';
import pg from 'pg';

const RECORD_EVENTS = 20;
const EVENT_BYTES = 600;
const FILLERS = 8;
// The consumer's own default is 100 messages at a time.
const BATCH_SIZE = 100;
// As a number: STREAM_DOES_NOT_EXIST is taken for "no check" by this version, as the probe found.
const NO_EVENT_YET = 0n;
const text = Array.from({ length: 10 }, (_, at) => createHash('sha256').update(String(at)).digest('hex')).join('');
const data = { text: text.slice(0, EVENT_BYTES - JSON.stringify({ text: '' }).length) };
const event = () => ({ type: 'EntryRecorded', data });
const recordOf = (number) => `note-${number}`;

const input = await new Promise((resolve) => {
  let read = '';
  process.stdin.on('data', (chunk) => (read += chunk)).on('end', () => resolve(read));
});
const task = JSON.parse(input);
const records = Math.floor(task.events / RECORD_EVENTS);
const clients = task.do === 'fill' ? FILLERS : task.clients;
const pool = new pg.Pool({ connectionString: task.url, max: clients });
const store = getPostgreSQLEventStore(task.url, {
  schema: { autoMigration: task.do === 'fill' ? 'CreateOrUpdate' : 'None' },
  connectionOptions: { pool },
});

const cpu = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6; };

// As many callers as clients until the time is over; the first call of each is not counted.
const repeated = async (work) => {
  await Promise.all(Array.from({ length: clients }, work));
  const began = performance.now(), cpuBefore = cpu(), end = began + task.seconds * 1000;
  let count = 0;
  const caller = async () => {
    while (performance.now() < end) { await work(); count += 1; }
  };
  await Promise.all(Array.from({ length: clients }, caller));
  return { count, seconds: (performance.now() - began) / 1000, cpu_seconds: cpu() - cpuBefore };
};

const append = (stream) => store.appendToStream(stream, [event()], { expectedStreamVersion: NO_EVENT_YET });

const fill = async () => {
  await store.schema.migrate();
  let next = 0;
  const filler = async () => {
    while (next < records) {
      const events = Array.from({ length: RECORD_EVENTS }, event);
      await store.appendToStream(recordOf(next++), events, { expectedStreamVersion: NO_EVENT_YET });
    }
  };
  await Promise.all(Array.from({ length: FILLERS }, filler));
  await pool.query('VACUUM (ANALYZE)');
  return {};
};

const few = () => repeated(async () => {
  const { events } = await store.readStream(recordOf(Math.floor(Math.random() * records)));
  if (events.length !== RECORD_EVENTS) throw new Error(`${events.length} events of a record`);
});

const replay = async () => {
  let count = 0;
  const consumer = store.consumer({ pulling: { batchSize: BATCH_SIZE } });
  consumer.reactor({
    processorId: `replay-${randomUUID()}`,
    eachMessage: () => { count += 1; },
    stopAfter: () => count >= task.events,
  });
  const began = performance.now(), cpuBefore = cpu();
  await consumer.start();
  const told = { count, seconds: (performance.now() - began) / 1000, cpu_seconds: cpu() - cpuBefore };
  await consumer.close();
  return told;
};

const probe = async () => {
  const stream = `probe-${randomUUID()}`;
  const first = await append(stream);
  let refused = false;
  try {
    await append(stream);
  } catch (error) {
    if (!isExpectedVersionConflictError(error)) throw error;
    refused = true;
  }
  const second = await append(`${stream}-after`);
  const skipped = second.lastEventGlobalPosition - first.lastEventGlobalPosition - 1n;
  return { conflict_refused: refused, positions_skipped: Number(skipped) };
};

const done = { fill, append: () => repeated(() => append(`note-${randomUUID()}`)), few, replay, probe };
const answer = await done[task.do]();
await new Promise((resolve) => process.stdout.write(JSON.stringify(answer), resolve));
process.exit(0);
