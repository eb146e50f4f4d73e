/** Where a Ceph cluster of one test run lies and listens. */
export interface CephLayout {
  readonly folder: string;
  readonly fsid: string;
  readonly monitorPort: number;
  readonly gatewayPort: number;
}

/** Enough for the tests' data, all of which is in memory. */
const MEMORY_BYTES = 8 * 1024 ** 3;

/**
 * `ceph.conf` of the smallest cluster that serves S3: one monitor, one OSD that keeps its objects in memory, one gateway.
 * Its defaults are for clusters that run for years; here what counts is the start. Who finds no monitor yet asks again soon, not
 * after 3 s. The gateway waits for a round of the monitor for each pool that it makes: rounds are made short.
 */
export function cephConf({ folder, fsid, monitorPort, gatewayPort }: CephLayout): string {
  const settings = {
    fsid,
    'mon host': `v1:127.0.0.1:${monitorPort}`,
    'auth cluster required': 'none',
    'auth service required': 'none',
    'auth client required': 'none',
    'ms bind msgr2': false,
    'public addr': '127.0.0.1',
    'cluster addr': '127.0.0.1',
    'run dir': folder,
    'admin socket': '',
    'log file': `${folder}/$name.log`,
    'mon client hunt interval': 0.1,
    'paxos propose interval': 0.02,
    'paxos min wait': 0.01,
    'mon data': `${folder}/mon`,
    'mon allow pool size one': true,
    'mon max pg per osd': 1000,
    'osd data': `${folder}/osd`,
    'osd objectstore': 'memstore',
    'memstore device bytes': MEMORY_BYTES,
    'osd crush chooseleaf type': 0,
    'osd crush update on start': false,
    'osd class update on start': false,
    'osd class load list': '*',
    'osd class default list': '*',
    'osd pool default size': 1,
    'osd pool default min size': 1,
    'osd pool default pg num': 8,
    'osd pool default pgp num': 8,
    'osd pool default pg autoscale mode': 'off',
    'rgw data': `${folder}/rgw`,
    'rgw frontends': `beast endpoint=127.0.0.1:${gatewayPort} tcp_nodelay=1`,
    'rgw thread pool size': 64,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  return `[global]\n${lines.join('\n')}\n`;
}
