# lastbyte as a sidecar: `docker build -t lastbyte .`; examples/django/docker-compose.yml puts it in front of Django.

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-slim
ENV NODE_ENV=production
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
  CMD ["node", "-e", "fetch('http://127.0.0.1:8081/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Exec form: lastbyte is the process that gets SIGTERM, and finishes its exchanges.
ENTRYPOINT ["node", "/app/dist/bin.js"]
CMD ["--config", "/app/config/docker.yaml"]
