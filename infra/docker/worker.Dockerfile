# syntax=docker/dockerfile:1
# Filterscope in an image: `worker` computes on processors, `gpu` on a GPU through Vulkan.
ARG NODE_IMAGE=node:24-slim

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
# Its install step would fetch CUDA libraries from another host; the runtime for CPUs and WebGPU is in the package itself.
ENV ONNXRUNTIME_NODE_INSTALL=skip
COPY .npmrc package.json package-lock.json ./
COPY packages/engines/package.json packages/engines/
COPY packages/errors/package.json packages/errors/
COPY packages/imaging/package.json packages/imaging/
COPY packages/queue/package.json packages/queue/
COPY packages/report/package.json packages/report/
COPY packages/results/package.json packages/results/
COPY packages/runs/package.json packages/runs/
COPY packages/statistics/package.json packages/statistics/
COPY packages/storage/package.json packages/storage/
COPY packages/verification/package.json packages/verification/
COPY packages/vgg16/package.json packages/vgg16/
COPY apps/cli/package.json apps/cli/
COPY apps/worker/package.json apps/worker/
RUN npm ci --omit=dev --workspace filterscope
# The package holds its runtime for every platform, 240 MB of which this image cannot use.
RUN node -e "const { readdirSync, rmSync } = require('node:fs'); \
  const all = 'node_modules/onnxruntime-node/bin/napi-v6/'; \
  const except = (folder, name) => readdirSync(folder).filter((other) => other !== name).forEach((other) => rmSync(folder + other, { recursive: true })); \
  except(all, process.platform); except(all + process.platform + '/', process.arch);"
COPY packages packages
COPY apps apps
COPY infra/docker/create-bucket.ts infra/docker/

FROM ${NODE_IMAGE} AS worker
RUN install --directory --owner node --group node /var/cache/filterscope
COPY --from=dependencies /app /app
# apps/cli/bin/filterscope.mjs says why the threshold. ONNX Runtime reports to its makers unless told not to.
ENV NODE_ENV=production \
  MALLOC_MMAP_THRESHOLD_=1048576 \
  ORT_DISABLE_TELEMETRY=1 \
  FILTERSCOPE_CACHE=/var/cache/filterscope \
  FILTERSCOPE_HEALTH_PORT=9464
USER node
WORKDIR /home/node
EXPOSE 9464
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.FILTERSCOPE_HEALTH_PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/apps/cli/bin/filterscope.mjs"]
CMD ["worker"]

FROM worker AS gpu
USER root
# Vulkan's loader, and what NVIDIA's driver links to, which the container toolkit brings: its part for Vulkan is `graphics`.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends libvulkan1 libegl1 libxext6 \
  && rm -rf /var/lib/apt/lists/*
ENV NVIDIA_DRIVER_CAPABILITIES=compute,graphics,utility
USER node
CMD ["worker", "--engine", "onnx-webgpu"]

# What is built where no target is named.
FROM worker
