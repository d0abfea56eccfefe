import {readFileSync} from 'node:fs';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {Packages} from '../../../src/record/index.ts';
import {packagesOf} from '../../../src/record/index.ts';

const read = (output: string, command = 'list'): Packages =>
  packagesOf([{command, output, exitCode: 0}]);
const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/packages/${name}`, import.meta.url), 'utf8');

const pip = {
  blinker: '1.9.0',
  certifi: '2026.10.19.post1',
  'charset-normalizer': '3.5.3',
  click: '8.5.1',
  flask: '3.1.3',
  idna: '3.20',
  itsdangerous: '2.2.0',
  jinja2: '3.1.6',
  markupsafe: '3.0.4',
  numpy: '2.4.6',
  requests: '2.34.2',
  urllib3: '2.8.0',
  werkzeug: '3.1.9',
};
const withPip = {...pip, pip: '23.2.1', setuptools: '65.5.0'};

describe('packages of pip', () => {
  it.each([
    ['pip-list.txt', withPip],
    ['pip-verbose.txt', withPip],
    ['pip.json', withPip],
    ['pip-freeze.txt', pip],
    ['pip-outdated.txt', {pip: '23.2.1', setuptools: '65.5.0'}],
  ])('are read from %s', (file, packages) => {
    expect(read(fixture(file))).toEqual({pip: packages});
  });

  it('are read between what else a script prints', () => {
    const output = `Python 3.11.2\n\n${fixture('pip-list.txt')}\n[notice] A new release of pip is available\n`;
    expect(read(output)).toEqual({pip: withPip});
  });

  it('are read from JSON below a warning', () => {
    expect(read(`WARNING: cache disabled\n${fixture('pip.json')}`)).toEqual({pip: withPip});
  });

  it('have no address with a password for a version', () => {
    const output = [
      'numpy @ file:///build/numpy-2.1.0-cp311-cp311-linux_x86_64.whl#sha256=00',
      'tool @ git+https://user:secret@example.org/tool.git@0123456789abcdef0123456789abcdef01234567',
      '-e git+https://example.org/own.git@abcdef0123456789abcdef0123456789abcdef01#egg=own',
      'local @ file:///home/jovyan/local',
      'extra[socks]==1.0 ; python_version > "3"',
    ].join('\n');
    expect(read(output)).toEqual({
      pip: {
        extra: '1.0',
        local: 'from a URL or a folder',
        numpy: '2.1.0',
        own: 'abcdef0123456789abcdef0123456789abcdef01',
        tool: '0123456789abcdef0123456789abcdef01234567',
      },
    });
  });

  it('are one package under all spellings of its name', () => {
    expect(read('Jupyter_Core==5.7\njupyter-core==5.7\nzope.interface==1')).toEqual({
      pip: {'jupyter-core': '5.7', 'zope-interface': '1'},
    });
  });

  it('are read from what a grep leaves, as the command says', () => {
    expect(read('numpy       2.1.0\n', `bash -c 'pip list | grep numpy'`)).toEqual({
      pip: {numpy: '2.1.0'},
    });
    expect(read('pip (9.0.1)\nsix (1.10.0, /src/six)\n', 'pip list')).toEqual({
      pip: {pip: '9.0.1', six: '1.10.0'},
    });
  });
});

const table = `# packages in environment at /opt/conda:
#
# Name                    Version                   Build  Channel
_libgcc_mutex             0.1                 conda_forge    conda-forge
_openmp_mutex             4.5                       2_gnu    conda-forge
anaconda                  custom                   py37_1
cudatoolkit               11.2.2              he111cf0_8    conda-forge
ca-certificates           2024.7.4             hbcca054_0  
jupyter-core              5.7.2                    pypi_0    pypi
python                    3.11.8          hab00c5b_0_cpython    conda-forge
`;
const conda = {
  _libgcc_mutex: '0.1',
  _openmp_mutex: '4.5',
  anaconda: 'custom',
  'ca-certificates': '2024.7.4',
  cudatoolkit: '11.2.2',
  python: '3.11.8',
};

describe('packages of conda', () => {
  it('are read from its table; what pip installed is of pip', () => {
    expect(read(table)).toEqual({conda, pip: {'jupyter-core': '5.7.2'}});
  });

  it.each([
    [
      'the table of mamba',
      `List of packages in environment: "/opt/conda"

  Name           Version  Build               Channel
────────────────────────────────────────────────────────────
  cuda-nvcc      12.4.99  0                   nvidia
  python         3.11.8   hab00c5b_0_cpython  conda-forge
`,
      {conda: {'cuda-nvcc': '12.4.99', python: '3.11.8'}},
    ],
    [
      'a table of old, with <pip>',
      `# packages in environment at /opt/conda/envs/x:
#
bleach                    1.5.0                     <pip>
openssl                   1.0.2n                        0    conda-forge
`,
      {conda: {openssl: '1.0.2n'}, pip: {bleach: '1.5.0'}},
    ],
    [
      'an export',
      `# This file may be used to create an environment using:
# $ conda create --name <env> --file <this file>
# platform: linux-64
_openmp_mutex=4.5=1_gnu
flask=2.0.2=pyhd3eb1b0_0
jupyter-core=5.7.2=pypi_0
`,
      {conda: {_openmp_mutex: '4.5', flask: '2.0.2'}, pip: {'jupyter-core': '5.7.2'}},
    ],
    [
      'an explicit list',
      `# platform: linux-64
@EXPLICIT
https://conda.anaconda.org/conda-forge/linux-64/libstdcxx-ng-13.2.0-h7e041cc_3.conda
https://conda.anaconda.org/conda-forge/noarch/pip-24.3.1-pyh145f28c_2.conda#76601b0ccfe1fe13a21a5f8813cb38de
https://conda.anaconda.org/conda-forge/linux-64/_libgcc_mutex-0.1-conda_forge.tar.bz2
`,
      {conda: {_libgcc_mutex: '0.1', 'libstdcxx-ng': '13.2.0', pip: '24.3.1'}},
    ],
    [
      'canonical names',
      'conda-forge/linux-64::numpy-1.26.4-py311h64a7726_0\n',
      {conda: {numpy: '1.26.4'}},
    ],
    [
      'an environment file',
      `name: base
channels:
  - conda-forge
dependencies:
  - python=3.11.8=hab00c5b_0_cpython
  - numpy=1.26.4
  - pip:
      - jupyter-core==5.7.2
prefix: /opt/conda
`,
      {conda: {numpy: '1.26.4', python: '3.11.8'}, pip: {'jupyter-core': '5.7.2'}},
    ],
    [
      'JSON',
      JSON.stringify([
        {
          base_url: 'u',
          build_string: 'py_0',
          channel: 'conda-forge',
          name: 'babel',
          version: '2.9',
        },
        {build_string: 'pypi_0', channel: 'pypi', name: 'six', version: '1.16'},
      ]),
      {conda: {babel: '2.9'}, pip: {six: '1.16'}},
    ],
  ])('are read from %s', (_, output, packages) => {
    expect(read(output)).toEqual(packages);
  });

  it('are read from what a grep leaves', () => {
    const output = `cudatoolkit               11.2.2              he111cf0_8    conda-forge
cudnn                     8.1.0.77            h90431f1_0    conda-forge\n`;
    const packages = {conda: {cudatoolkit: '11.2.2', cudnn: '8.1.0.77'}};
    expect(read(output)).toEqual(packages);
    expect(read(output, `bash -c 'conda list | grep "cuda\\|cudnn"'`)).toEqual(packages);
  });
});

describe('packages of Debian', () => {
  it('are read from dpkg -l, installed ones only', () => {
    const packages = read(fixture('dpkg-l.txt')).apt ?? {};
    expect(Object.keys(packages)).toHaveLength(fixture('dpkg-l.txt').match(/^ii /gm)?.length ?? 0);
    expect(packages).toMatchObject({
      adduser: '3.134',
      bash: '5.2.15-2+b8',
      'binutils-common': '2.40-2',
    });
    expect(
      read('rc  old:amd64  1.0-1  amd64  removed\niU  half  1.0-1  amd64  unpacked\n'),
    ).toEqual({});
  });

  it('are read from apt list', () => {
    const packages = read(fixture('apt-list.txt')).apt ?? {};
    expect(Object.keys(packages)).toHaveLength(
      fixture('apt-list.txt').match(/\[installed/g)?.length ?? 0,
    );
    expect(packages).toMatchObject({adduser: '3.134', 'adwaita-icon-theme': '43-1'});
    const mixed = `zlib1g/stable 1:1.2 amd64
curl/stable-security 7.88.1-10+deb12u8 amd64 [upgradable from: 7.88.1-10+deb12u5]
bash/stable,now 5.2.15-2+b8 amd64 [installed,upgradable to: 5.2.15-3]
old/now 1.0 all [residual-config]\n`;
    expect(read(mixed)).toEqual({apt: {bash: '5.2.15-2+b8', curl: '7.88.1-10+deb12u5'}});
  });

  it('are read from dpkg-query', () => {
    const packages = read(fixture('dpkg-query.txt')).apt ?? {};
    expect(packages).toMatchObject({adduser: '3.134', appstream: '0.16.1-2'});
    const format = `dpkg-query -W -f='\${Package} \${Version}\\n'`;
    expect(read('bash 5.2.15-2+b8\nlibc6:amd64 2.36-9\n', format)).toEqual({
      apt: {bash: '5.2.15-2+b8', 'libc6:amd64': '2.36-9'},
    });
    expect(read('bash=5.2\n', format)).toEqual({apt: {bash: '5.2'}});
  });
});

const r = {
  MASS: '7.3-58.2',
  base: '4.2.2',
  compiler: '4.2.2',
  datasets: '4.2.2',
  grDevices: '4.2.2',
  graphics: '4.2.2',
  grid: '4.2.2',
  jsonlite: '1.8.4',
  methods: '4.2.2',
  parallel: '4.2.2',
  splines: '4.2.2',
  stats: '4.2.2',
  stats4: '4.2.2',
  tcltk: '4.2.2',
  tools: '4.2.2',
  utils: '4.2.2',
};

describe('packages of R', () => {
  it.each([
    'r-matrix.txt',
    'r-all.txt',
    'r-vector.txt',
    'r-data-frame.txt',
    'r-data-frame-numbered.txt',
    'r-csv.txt',
    'r-csv-names.txt',
  ])('are read from %s', (file) => {
    expect(read(fixture(file))).toEqual({r});
  });

  it.each(['r-table.txt', 'r-unnamed.txt'])('are read from %s, as the command says', (file) => {
    expect(read(fixture(file), `Rscript -e 'installed.packages()'`)).toEqual({r});
    expect(read(fixture(file))).toEqual({});
  });

  it('are read from a tibble and from jsonlite', () => {
    expect(
      read(`# A tibble: 2 × 2
  Package Version
  <chr>   <chr>
1 base    4.2.2
2 MASS    7.3-58.2
`),
    ).toEqual({r: {MASS: '7.3-58.2', base: '4.2.2'}});
    expect(read('[{"Package":"base","Version":"4.2.2"}]')).toEqual({r: {base: '4.2.2'}});
  });
});

describe('packages of several commands', () => {
  it('come together, and an output may hold several lists', () => {
    const found = packagesOf([
      {command: 'x', output: `${fixture('pip-list.txt')}\n${table}`, exitCode: 0},
      {command: 'y', output: fixture('r-matrix.txt'), exitCode: 0},
    ]);
    expect(found).toEqual({pip: {...withPip, 'jupyter-core': '5.7.2'}, conda, r});
  });

  it('leave out what a failed or unfinished command printed', () => {
    const output = fixture('pip-list.txt');
    expect(packagesOf([{command: 'x', output, exitCode: 1}])).toEqual({});
    expect(packagesOf([{command: 'x', output}])).toEqual({});
  });

  it('have both versions of a package that is there twice', () => {
    expect(read('six==1.15\nsix==1.16\nsix==1.15')).toEqual({pip: {six: '1.15, 1.16'}});
  });
});

describe('other output', () => {
  it.each([
    ['Python 3.11.8\n', 'python --version'],
    ['R version 4.2.2 Patched (2022-11-10 r83330)\nCopyright (C) 2022\n', 'R --version'],
    ['openjdk version "21.0.5" 2024-10-15\n', 'java -version'],
    ['PATH=/usr/bin:/bin\nHOME=/root\nLEVEL=2\n', 'env'],
    ['total 4\ndrwxr-xr-x 2 root root 4096 Nov 25 15:55 .\n', 'ls -la'],
    ['12\tcache\n400\tlib\n', 'du -s *'],
    ['2.4.6\n', 'python3 -c "import numpy; print(numpy.__version__)"'],
    ['hi there 2 people\nUse a==b, or a = b\n', 'cat motd'],
    ['', 'true'],
  ])('lists none: %j', (output, command) => {
    expect(read(output, command)).toEqual({});
  });

  it('never breaks the reading, and packages always have a name and a version', () => {
    const words = fc.constantFrom(
      ...['Package', 'Version', '"', '==', '=', '1.2', 'numpy', '\n', '  ', '\t', '---- ----'],
      ...['# Name Version Build Channel', 'ii ', 'a/b', '[installed]', '[1,]', '[,1] [,2]', ','],
      ...['{"name":', '[{', '}]', '@EXPLICIT', 'dependencies:', '- ', '::', '__proto__', '\u001b['],
    );
    const output = fc.oneof(
      fc.string({unit: 'binary'}),
      fc.array(words).map((all) => all.join('')),
    );
    const command = fc.constantFrom('pip list', 'conda list', 'dpkg -l', 'Rscript -e 1', 'x');
    fc.assert(
      fc.property(output, command, (text, name) => {
        for (const packages of Object.values(read(text, name)))
          for (const [key, version] of Object.entries(packages))
            expect(key !== '' && version !== '').toBe(true);
      }),
      {numRuns: 2000},
    );
  });

  it.each(['"', ' ', '\n', '\\"', '=', '-', 'a ', 'a-', '/', '[', 'Package Version\n', '{'])(
    'takes time that grows with its length: %j, many times',
    (part) => {
      const line = part.repeat(3900 / part.length);
      expect(read(part.repeat(300_000), 'Rscript')).toEqual({});
      expect(read(`${line}x\n`.repeat(1000), 'Rscript')).toEqual({});
    },
  );
});
