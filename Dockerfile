# bake for a cluster: what the Deployment of out/manifests/approver runs.
#   docker build --build-arg NODE_IMAGE=node:20-bookworm-slim@sha256:… -t registry.example.com/bake:0.1.0 .
# Without a default: which digest is good today is for whoever builds to say.
ARG NODE_IMAGE
FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY .npmrc package.json package-lock.json ./
RUN npm ci
COPY build.js tsconfig.json ./
COPY src src/
RUN npm run build

FROM ${NODE_IMAGE}
WORKDIR /bake
COPY --from=build /src/package.json ./
COPY --from=build /src/dist dist/
# Of nobody in particular; the root file system may be read-only.
USER 65532:65532
ENTRYPOINT ["node", "/bake/dist/main.js"]
