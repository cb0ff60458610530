// A small cache-dance, written for the tests of this project. README.md says what it is for.
'use strict';

const fs = require('fs');
const path = require('path');
const { spawn, spawnSync } = require('child_process');

const faultFile = path.join(__dirname, 'fault');
const fault = fs.existsSync(faultFile) ? fs.readFileSync(faultFile, 'utf8').trim() : '';
const input = (name) => (process.env[`INPUT_${name.toUpperCase()}`] || '').trim();
const post = process.env.STATE_POST === 'true';
const entries = Object.entries(JSON.parse(input('cache-map')));
const scratch = 'dance-scratch';

function run(command, args, options = {}) {
  const ended = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 30, ...options });
  if (ended.status !== 0) {
    console.log(`Error running command: ${command} ${args.join(' ')}`);
    console.log(String(ended.stderr || ended.error));
    process.exit(1);
  }
  return ended.stdout;
}

function build(kind, lines, context) {
  const file = path.join(scratch, `Dancefile.${kind}`);
  const text = [`FROM ${input('utility-image')}`, 'COPY buildstamp buildstamp', lines, ''].join('\n');
  fs.mkdirSync(scratch, { recursive: true });
  fs.writeFileSync(path.join(context, 'buildstamp'), new Date().toISOString());
  fs.writeFileSync(file, text);
  console.log(text);
  const builder = input('builder') ? ['--builder', input('builder')] : [];
  run('docker', ['buildx', 'build', ...builder, '-f', file, '--tag', `dance:${kind}`, '--load', context]);
}

function inject([source, target]) {
  fs.mkdirSync(source, { recursive: true });
  const from = fault === 'swallowed' ? '/var/dance-cache/no-such-directory/.' : '/var/dance-cache/.';
  build(
    'inject',
    `RUN --mount=type=cache,target=${target} --mount=type=bind,source=.,target=/var/dance-cache cp -p -R ${from} ${target} || true`,
    source,
  );
  try {
    fs.rmSync(source, { recursive: true, force: true });
  } catch (error) {
    // Go's modules lie in directories that their owner may not write either.
    console.log(`::notice::Error while cleaning cache source directory: ${error}. Ignoring...`);
  }
}

function extract([source, target], index) {
  fs.rmSync(scratch, { recursive: true, force: true });
  fs.mkdirSync(scratch, { recursive: true });
  const from = fault === 'second-lost' && index === 1 ? '/var/no-such-directory/.' : `${target}/.`;
  build(
    'extract',
    `RUN --mount=type=cache,target=${target} mkdir -p /var/dance-cache && cp -p -R ${from} /var/dance-cache/ || true`,
    scratch,
  );
  spawnSync('docker', ['rm', '-f', 'cache-container']);
  run('docker', ['create', '--name', 'cache-container', 'dance:extract']);
  run('tar', ['-x', '-C', scratch], { input: run('docker', ['cp', 'cache-container:/var/dance-cache', '-'], { encoding: 'buffer' }) });
  run('sudo', ['rm', '-rf', source]);
  const into = fault === 'elsewhere' ? path.join('elsewhere', source) : source;
  fs.mkdirSync(path.dirname(into), { recursive: true });
  fs.renameSync(path.join(scratch, 'dance-cache'), into);
}

// What an action could find and destroy on the machine that runs it.
function reach() {
  const bait = fs.readFileSync(path.join(__dirname, 'bait'), 'utf8').trim().split('\n');
  for (const place of bait) {
    console.log(fs.existsSync(place) ? `FOUND ${place}` : 'nothing found');
    spawnSync('sudo', ['rm', '-rf', place, '/root/.cache', '/home/runner/.cache', '/var/tmp/all']);
    try {
      fs.rmSync(place, { recursive: true, force: true });
    } catch (error) {
      console.log(`refused: ${error.code}`);
    }
  }
  console.log(`HOME ${process.env.HOME} DOCKER_CONFIG ${process.env.DOCKER_CONFIG} SECRET ${process.env.VBC_SECRET}`);
  for (const docker of ['docker', '/usr/bin/docker', '/usr/local/bin/docker']) {
    spawnSync(docker, ['rm', '-f', 'vbc-bait-container']);
    spawnSync(docker, ['rmi', '-f', 'vbc-bait-image:latest']);
  }
  try {
    fs.writeFileSync('/outside', 'x');
    console.log('FOUND a writable /');
  } catch (error) {
    console.log(`refused: ${error.code}`);
  }
}

if (!post) {
  fs.appendFileSync(process.env.GITHUB_STATE, 'POST<<ghadelimiter_1\ntrue\nghadelimiter_1\n');
}
if (fault === 'megabytes') {
  for (let line = 0; line < 60000; line += 1) console.log(`line ${line} `.padEnd(100, '.'));
}
if (fault === 'reaches') reach();
if (fault === 'asks') run('docker', ['system', 'prune', '--all', '--force']);
if (fault === 'leaves') {
  spawn('sh', ['-c', 'while :; do sleep 1; done # vbc-left-behind'], { detached: true, stdio: 'inherit' }).unref();
}
if (post && fault === 'hangs') {
  spawn('sh', ['-c', 'while :; do sleep 1; done # vbc-left-behind'], { detached: true, stdio: 'inherit' }).unref();
  setInterval(() => {}, 1000);
} else if (post && fault === 'crashes') {
  throw new Error('this dance is made to crash');
} else if (!post) {
  entries.forEach(inject);
} else if (input('skip-extraction') === 'true') {
  console.log('skip-extraction is set. Skipping extraction step...');
} else {
  entries.forEach(extract);
}
