# lastbyte as a sidecar: `docker build -t lastbyte .`; examples/django/docker-compose.yml puts it in front of Django.

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/bundle.ts ./scripts/
COPY src ./src
RUN npm run build && find dist -name '*.d.ts' -delete

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-slim
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="lastbyte" \
      org.opencontainers.image.description="Every response, to the last byte: a reverse-proxy sidecar for dev servers that close the connection too early." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}"
# Where other containers reach it: config/docker.yaml. The health check reads the same settings.
ENV NODE_ENV=production LASTBYTE_CONFIG=/app/config/docker.yaml
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY config ./config

# The code belongs to root: a fault in the proxy must not be able to change it.
USER node
EXPOSE 8080 8081
# Alive, not ready: a container that waits for its upstream must not be restarted for that.
HEALTHCHECK --interval=10s --timeout=3s --retries=3 --start-period=20s --start-interval=1s \
  CMD ["node", "/app/dist/bin.js", "healthcheck"]
# Exec form: lastbyte is the process that gets SIGTERM, and finishes its exchanges.
ENTRYPOINT ["node", "/app/dist/bin.js"]
