// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles and workflows are full of them
import {ok} from '../../../src/failure.ts';
import type {Edge, Origin, SourceTree} from '../../../src/infer/index.ts';

/** A repository of Dockerfiles with the habits of a well known one, in words of our own. */
export interface TreeCase {
  readonly files: Readonly<Record<string, string>>;
  readonly origin?: Origin;
  /** `child <- parent`, sorted; all of them and no other. */
  readonly edges: readonly string[];
  /** Repository of some images by their keys. */
  readonly names?: Readonly<Record<string, string>>;
  /** Of some images by their keys. */
  readonly variants?: Readonly<Record<string, string | undefined>>;
  /** A part of every sentence that is left for a person, in order. */
  readonly todos?: readonly RegExp[];
}

export function treeOf(files: Readonly<Record<string, string>>): SourceTree {
  const names = Object.keys(files);
  return {files: names, texts: new Map(names.map((name) => [name, ok(files[name] ?? '')]))};
}

export function edgeLines(edges: readonly Edge[]): readonly string[] {
  return edges.map(({child, parent}) => `${child} <- ${parent}`).toSorted();
}

const notebook = (base: string): string =>
  `ARG REGISTRY=quay.io\nARG OWNER=acme\nARG BASE_IMAGE=$REGISTRY/$OWNER/${base}\nFROM $BASE_IMAGE\nRUN true\n`;

/** One folder an image, ARG defaults in a chain, variants in folders below: jupyter/docker-stacks. */
const notebooks: TreeCase = {
  files: {
    'README.md': '',
    'images/foundation/Dockerfile': 'ARG ROOT_IMAGE=ubuntu:24.04\nFROM $ROOT_IMAGE\n',
    'images/base-notebook/Dockerfile': notebook('foundation'),
    'images/minimal-notebook/Dockerfile': notebook('base-notebook'),
    'images/scipy-notebook/Dockerfile': notebook('minimal-notebook'),
    'images/torch-notebook/Dockerfile': notebook('scipy-notebook'),
    'images/torch-notebook/cuda12/Dockerfile': notebook('scipy-notebook'),
    'images/spark-notebook/Dockerfile': notebook('scipy-notebook'),
    'images/all-notebook/Dockerfile': notebook('spark-notebook'),
    Makefile:
      'OWNER?=acme\nbuild/%:\n\tdocker build --rm -t $(OWNER)/$(notdir $@):latest ./images/$(notdir $@)\n',
  },
  edges: [
    'all-notebook <- spark-notebook',
    'base-notebook <- foundation',
    'minimal-notebook <- base-notebook',
    'scipy-notebook <- minimal-notebook',
    'spark-notebook <- scipy-notebook',
    'torch-notebook <- scipy-notebook',
    'torch-notebook-cuda12 <- scipy-notebook',
  ],
  names: {foundation: 'quay.io/acme/foundation', 'all-notebook': 'quay.io/acme/all-notebook'},
};

const bakeJson = (version: string): string =>
  JSON.stringify({
    group: [{default: [{targets: ['r-ver', 'rstudio']}]}],
    target: {
      'r-ver': {
        context: './',
        dockerfile: `dockerfiles/r-ver_${version}.Dockerfile`,
        tags: [`docker.io/rock/r-ver:${version}`, `ghcr.io/rock/r-ver:${version}`],
        platforms: ['linux/amd64', 'linux/arm64'],
      },
      rstudio: {
        context: './',
        dockerfile: `dockerfiles/rstudio_${version}.Dockerfile`,
        tags: [`docker.io/rock/rstudio:${version}`],
      },
    },
  });

/** Many versions of the same images, `*.Dockerfile` in one folder, bake files in JSON: rocker-versioned2. */
const versions: TreeCase = {
  files: {
    'dockerfiles/r-ver_4.3.1.Dockerfile': 'FROM ubuntu:jammy\nCOPY scripts/install.sh /\n',
    'dockerfiles/r-ver_4.4.0.Dockerfile': 'FROM ubuntu:noble\nCOPY scripts/install.sh /\n',
    'dockerfiles/rstudio_4.3.1.Dockerfile': 'FROM rock/r-ver:4.3.1\nCOPY scripts /scripts\n',
    'dockerfiles/rstudio_4.4.0.Dockerfile': 'FROM rock/r-ver:4.4.0\nCOPY scripts /scripts\n',
    'dockerfiles/tidyverse_4.4.0.Dockerfile': 'FROM rock/rstudio:4.4.0\nCOPY scripts /scripts\n',
    'scripts/install.sh': 'true\n',
    'bakefiles/4.3.1.docker-bake.json': bakeJson('4.3.1'),
    'bakefiles/4.4.0.docker-bake.json': bakeJson('4.4.0'),
  },
  edges: [
    'rstudio_4.3.1 <- r-ver_4.3.1',
    'rstudio_4.4.0 <- r-ver_4.4.0',
    'tidyverse_4.4.0 <- rstudio_4.4.0',
  ],
  names: {'r-ver_4.3.1': 'docker.io/rock/r-ver'},
  variants: {'r-ver_4.3.1': '4.3.1', 'tidyverse_4.4.0': undefined},
};

/** Short names of its own on Docker Hub, folders at the top, a parent by a moving tag: pangeo-docker-images. */
const folders: TreeCase = {
  files: {
    'base-image/Dockerfile': 'FROM ubuntu:22.04\nONBUILD COPY . /srv\n',
    'base-notebook/Dockerfile': 'FROM pango/base-image:master\n',
    'ml-notebook/Dockerfile':
      'ARG PANGO_BASE_IMAGE_TAG=master\nFROM pango/base-image:${PANGO_BASE_IMAGE_TAG}\n',
    'forge/Dockerfile': 'FROM pango/base-image:master\n',
    Makefile:
      'TESTDIR=/srv\n.PHONY: base-image\nbase-image:\n\tcd base-image ; \\\n\tdocker build -t pango/base-image:master --progress=plain .\nbase-notebook: base-image\n\tcd base-notebook ; docker build -t pango/base-notebook:master .\n',
    '.devcontainer/Dockerfile': 'FROM pango/base-image:master\n',
  },
  edges: ['base-notebook <- base-image', 'forge <- base-image', 'ml-notebook <- base-image'],
  names: {'base-image': 'pango/base-image', forge: 'pango/forge'},
};

/** Templates that a program renders, deep folders: kolla and balena's library. */
const templates: TreeCase = {
  files: {
    'docker/base/Dockerfile.j2': 'FROM {{ base_image }}:{{ base_tag }}\n',
    'docker/nova/nova-base/Dockerfile.j2': 'FROM {{ namespace }}/base:{{ tag }}\n',
    'device/Dockerfile.template': 'FROM balena/%%MACHINE%%-node\n',
    'library/pi/debian/bookworm/Dockerfile': 'FROM debian:bookworm\n',
    'library/pi/python/3.11/Dockerfile': 'FROM lib/pi-debian:bookworm\n',
    'library/pi/python/3.12/Dockerfile': 'FROM lib/pi-debian:bookworm\n',
    'library/nuc/debian/bookworm/Dockerfile': 'FROM debian:bookworm\n',
    'library/nuc/python/3.11/Dockerfile': 'FROM lib/nuc-debian:bookworm\n',
  },
  edges: [
    'nuc-python-3.11 <- nuc-debian-bookworm',
    'pi-python-3.11 <- pi-debian-bookworm',
    'python-3.12 <- pi-debian-bookworm',
  ],
  todos: [
    /Dockerfile\.template is left out: it is a template/,
    /base\/Dockerfile\.j2/,
    /nova-base\/Dockerfile\.j2/,
    /"python-3.11"/,
  ],
};

/** Parts that get their base from outside: gitpod's workspace-images. */
const chunks: TreeCase = {
  files: {
    'base/Dockerfile': 'FROM buildpack-deps:jammy\n',
    'chunks/lang-go/Dockerfile': 'ARG base\nFROM ${base}\n',
    'chunks/tool-chrome/Dockerfile': 'ARG base\nFROM ${base}\n',
    '.gitpod.Dockerfile': 'FROM gitpod/workspace-base\n',
  },
  edges: [],
  todos: [
    /chunks\/lang-go\/Dockerfile:2: .*add it to depend_on/,
    /chunks\/tool-chrome\/Dockerfile:2/,
  ],
};

/** Everything in one HCL file: variables, inheritance, named contexts, several images from one Dockerfile. */
const bake: TreeCase = {
  files: {
    'docker-bake.hcl': `
variable "REGISTRY" { default = "ghcr.io" }
variable "OWNER" {
  default = "acme"
  validation {
    condition = OWNER != ""
    error_message = "no \${owner}"
  }
}
variable "VERSION" {}
variable "DISTRO" { default = "bookworm" }
function "ref" {
  params = [name]
  result = "\${REGISTRY}/\${OWNER}/\${name}"
}
group "default" { targets = ["base", "app", "worker", "py"] }
target "common" {
  context   = "."
  platforms = ["linux/amd64", "linux/arm64"]
  args = { DISTRO = DISTRO, API_TOKEN = "x" }
}
target "base" {
  inherits   = ["common"]
  dockerfile = "docker/base.Dockerfile"
  tags       = [ref("base"), "\${REGISTRY}/\${OWNER}/base:\${VERSION}"]
}
target "app" {
  inherits   = ["common"]
  dockerfile = "docker/app.Dockerfile"
  target     = "app"
  contexts   = { parent = "target:base", docs = "./docs" }
  tags       = [ref("app")]
}
target "worker" {
  inherits = ["app"]
  target   = "worker"
  tags     = [ref("worker")]
}
target "py" {
  name       = "py\${replace(version, ".", "")}"
  matrix     = { version = ["3.11", "3.12"] }
  dockerfile = "docker/py.Dockerfile"
  contexts   = { "base-image" = "target:base" }
  args       = { PYTHON = version }
  tags       = [VERSION == "x" ? ref("never") : ref("py\${version}")]
}
target "lint" {
  dockerfile = "docker/app.Dockerfile"
  target     = "lint"
  output     = ["type=cacheonly"]
}
`,
    'docker/base.Dockerfile': 'ARG DISTRO=trixie\nFROM debian:${DISTRO}\n',
    'docker/app.Dockerfile': 'FROM parent AS app\nFROM app AS worker\nFROM app AS lint\n',
    'docker/py.Dockerfile':
      'ARG PYTHON=3.10\nFROM base-image\nCOPY --from=ghcr.io/acme/app /x /x\n',
  },
  origin: {owner: 'Acme', repo: 'stack'},
  edges: [
    'app <- base',
    'py311 <- app',
    'py311 <- base',
    'py312 <- app',
    'py312 <- base',
    'worker <- base',
  ],
  names: {base: 'ghcr.io/acme/base', py311: 'ghcr.io/acme/py311', worker: 'ghcr.io/acme/worker'},
  todos: [
    /^FROM in docker\/app\.Dockerfile:1: parent:latest is "base" here, but only by a name that its build gave it\. Write base or ghcr\.io\/acme\/base there\.$/,
    ...['app', 'py', 'py'].map(() => /is "base" here, but only by a name/),
  ],
};

/** Tags of one repository tell its images apart, and a Dockerfile names one of them as people do. */
const variants: TreeCase = {
  files: {
    'docker-bake.hcl': `
target "py" {
  name       = "py-\${replace(v, ".", "-")}"
  matrix     = { v = ["3.11", "3.12"] }
  args       = { V = v }
  tags       = ["ghcr.io/acme/app:py\${v}"]
}
target "plain" {
  dockerfile = "plain.Dockerfile"
  tags       = ["ghcr.io/acme/app:latest"]
}
target "gpu" {
  dockerfile = "gpu.Dockerfile"
  tags       = ["ghcr.io/acme/app:latest-gpu", "ghcr.io/acme/app:2026-gpu"]
}
target "tools" {
  dockerfile = "tools.Dockerfile"
  tags       = ["ghcr.io/acme/tools:1"]
}
`,
    Dockerfile: 'ARG V\nFROM python:${V}\n',
    'plain.Dockerfile': 'FROM debian:13\n',
    'gpu.Dockerfile': 'FROM ghcr.io/acme/app\n',
    'tools.Dockerfile':
      'FROM ghcr.io/acme/app:latest-gpu\nCOPY --from=ghcr.io/acme/app:py3.12 /x /x\n',
  },
  edges: ['gpu <- plain', 'tools <- gpu', 'tools <- py-3-12'],
  names: {'py-3-11': 'ghcr.io/acme/app', plain: 'ghcr.io/acme/app', tools: 'ghcr.io/acme/tools'},
  variants: {
    'py-3-11': 'py3.11',
    'py-3-12': 'py3.12',
    plain: undefined,
    gpu: 'gpu',
    tools: undefined,
  },
};

/** Two images are the same tag of one repository: nothing tells them apart. */
const twins: TreeCase = {
  files: {
    Makefile:
      'all:\n\tdocker build -t acme/app:1 -f a.Dockerfile .\n\tdocker build -t acme/app:1 -f b.Dockerfile .\n',
    'a.Dockerfile': 'FROM debian:13\n',
    'b.Dockerfile': 'FROM debian:13\n',
  },
  edges: [],
  names: {a: 'acme/app-a', b: 'acme/app-b'},
  variants: {a: undefined, b: undefined},
};

/** `docker build -t base`, then FROM base: names of one machine, which depend_on makes sense of. */
const nicknames: TreeCase = {
  files: {
    Makefile: 'all:\n\tdocker build -t base base\n\tdocker build -t web web\n',
    'base/Dockerfile': 'FROM debian:13\n',
    'web/Dockerfile': 'FROM base\nCOPY --from=base /x /x\n',
  },
  origin: {owner: 'acme', repo: 'stack'},
  edges: ['web <- base'],
  names: {base: 'ghcr.io/acme/base', web: 'ghcr.io/acme/web'},
};

/** A matrix in a workflow says which images there are, and where they go. */
const matrix: TreeCase = {
  files: {
    '.github/workflows/build.yml': `
on: push
env: {REGISTRY: ghcr.io}
jobs:
  images:
    strategy:
      matrix:
        image: [core, tools]
        include:
          - {image: tools, base: 'ghcr.io/acme-labs/dev-core:latest'}
          - {image: ml, context: science/ml, base: 'ghcr.io/acme-labs/dev-tools:latest'}
    steps:
      - uses: actions/checkout@v5
      - id: meta
        uses: docker/metadata-action@v5
        with:
          images: |
            \${{ env.REGISTRY }}/\${{ github.repository_owner }}/dev-\${{ matrix.image }}
      - uses: docker/build-push-action@v6
        with:
          context: \${{ matrix.context || format('src/{0}', matrix.image) }}
          tags: \${{ steps.meta.outputs.tags }}
  plain:
    strategy:
      matrix:
        include:
          - {image: core, folder: src/core}
          - {image: tools, folder: src/tools, base: core}
          - {image: ml, folder: science/ml, base: tools}
    steps:
      - id: meta
        uses: docker/metadata-action@v5
        with:
          images: ghcr.io/\${{ github.repository_owner }}/dev-\${{ matrix.image }}
      - uses: docker/build-push-action@v6
        with:
          context: \${{ matrix.folder }}
          build-args: |
            BASE=ghcr.io/acme-labs/dev-\${{ matrix.base }}:latest
            REVISION=\${{ github.sha }}
          tags: \${{ steps.meta.outputs.tags }}
          platforms: linux/amd64,linux/arm64
`,
    'src/core/Dockerfile': 'FROM alpine:3.22\n',
    'src/tools/Dockerfile': 'ARG BASE\nFROM ${BASE}\n',
    'science/ml/Dockerfile': 'ARG BASE\nFROM ${BASE}\n',
  },
  origin: {owner: 'acme-labs', repo: 'dev'},
  edges: ['ml <- tools', 'tools <- core'],
  names: {core: 'ghcr.io/acme-labs/dev-core'},
};

/** Variables and `docker build` lines of a Makefile; names that are nothing but words. */
const make: TreeCase = {
  files: {
    Makefile: `REG := registry.example.org:5000/team
TAG ?= latest
SHA := $(shell git rev-parse HEAD)
all: base web jobs
base:
\tdocker build -t $(REG)/stack-base:$(TAG) -f build/Dockerfile.base .
web: base
\tdocker buildx build --push --platform linux/amd64 \\
\t  --build-arg PARENT=$(REG)/stack-base:$(TAG) --build-arg SHA=$(SHA) \\
\t  -t "$(REG)/stack-web:$(TAG)" -f build/Dockerfile.web . && echo done
jobs: web
\t@docker build -t $(REG)/stack-jobs:$(SHA) build/jobs
`,
    'build/Dockerfile.base': 'FROM debian:13\n',
    'build/Dockerfile.web': 'ARG PARENT\nFROM ${PARENT}\n',
    'build/jobs/Dockerfile': 'FROM registry.example.org:5000/team/stack-web\n',
    'build/Dockerfile.web.dockerignore': '*\n',
  },
  edges: ['jobs <- web', 'web <- base'],
  names: {
    web: 'registry.example.org:5000/team/stack-web',
    jobs: 'registry.example.org:5000/team/stack-jobs',
  },
};

/** Compose on a laptop: services that are built, with names of their own. */
const compose: TreeCase = {
  files: {
    'compose.yaml': `services:
  base:
    build: {context: ./base}
    image: acme/base
  api:
    image: acme/api:\${TAG:-dev}
    build:
      context: api
      additional_contexts: {base: "service:base"}
    depends_on: [db]
  site: {build: ./site}
  db: {image: "postgres:17"}
`,
    'base/Dockerfile': 'FROM python:3.13\n',
    'api/Dockerfile': 'FROM base\n',
    'site/Containerfile':
      'FROM base AS build\nFROM acme/base AS lint\nFROM node:24\nCOPY --from=build /b /b\nCOPY --from=acme/api:dev /x /x\n',
  },
  edges: ['api <- base', 'site <- api', 'site <- base'],
};

/** Nothing of these is an edge: official names, vendors, others' images of the same name, digests, stages. */
const strangers: TreeCase = {
  files: {
    'python/Dockerfile': 'FROM python:3.13\n',
    'node/Dockerfile': 'FROM debian:13\n',
    'web/Dockerfile': 'FROM node:24 AS node\nFROM node\n',
    'cuda/Dockerfile': 'FROM ubuntu:24.04\n',
    'torch/Dockerfile': 'FROM nvidia/cuda:12.4.1-base-ubuntu22.04\n',
    'notebook/Dockerfile': 'FROM quay.io/jupyter/notebook:latest\n',
    'lab/Dockerfile': 'FROM quay.io/jupyter/notebook:latest\n',
    'pinned/Dockerfile': `FROM ghcr.io/acme/web@sha256:${'a'.repeat(64)}\n`,
    'child/Dockerfile': 'FROM ghcr.io/acme/web:1\n',
  },
  origin: {owner: 'acme', repo: 'x'},
  edges: ['child <- web'],
};

/** Names with a word in front that no folder has. */
const prefixed: TreeCase = {
  files: {
    'core/Dockerfile': 'FROM debian:13\r\n',
    'tools/Dockerfile': 'FROM --platform=$BUILDPLATFORM acme/lab-core:1 AS x\r\nFROM x\r\n',
    'ml/Dockerfile': 'FROM acme/lab-tools\nCOPY --from=acme/other-core /x /x\n',
    'web/Dockerfile': 'FROM node:24\nRUN --mount=type=bind,from=acme/lab-ml,target=/m true\n',
  },
  edges: ['ml <- tools', 'tools <- core', 'web <- ml'],
};

export const trees: Readonly<Record<string, TreeCase>> = {
  notebooks,
  versions,
  folders,
  templates,
  chunks,
  bake,
  matrix,
  make,
  compose,
  strangers,
  prefixed,
  variants,
  twins,
  nicknames,
};
