import type { TestProject } from 'vitest/node';
import { startServers } from './servers/start-servers.ts';

/**
 * Starts the servers of the project `system`, once for all its files, and gives their addresses by `inject`.
 * @throws Error with the reason when one cannot be had and `CI` is `true`: nothing may be skipped there for want of a server.
 */
export default async function globalSetup(project: TestProject): Promise<() => Promise<void>> {
  const servers = await startServers(process.env, (line) => process.stderr.write(`${line}\n`));
  const { s3, redis, ownRedis, serversMissing } = servers;
  if (serversMissing !== '' && process.env['CI'] === 'true') {
    await servers[Symbol.asyncDispose]();
    throw new Error(`The tests need servers that are not to be had.\n${serversMissing}`);
  }
  if (serversMissing !== '') {
    process.stderr.write(`Tests that need servers are skipped. ${serversMissing}\n`);
  }
  project.provide('s3', s3);
  project.provide('redis', redis);
  project.provide('ownRedis', ownRedis);
  project.provide('serversMissing', serversMissing);
  return async () => servers[Symbol.asyncDispose]();
}
