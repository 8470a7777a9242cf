# One static binary on an empty file system: no shell, no package, no root.
#   docker build --build-arg VERSION="$(git describe --tags --always)" --build-arg COMMIT="$(git rev-parse HEAD)" -t signet .
#   docker run -p 127.0.0.1:8080:8080 -v signet-data:/data signet

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
# The build has no .git to read it from.
ARG COMMIT=
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION} -X main.commit=${COMMIT}" -o /signet ./cmd/signet \
	&& mkdir -m 0700 /data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /signet /signet
COPY --from=build --chown=65532:65532 /data /data

USER 65532:65532
WORKDIR /data
VOLUME /data
# There is no /tmp here, and SQLite may need room for a large sort.
ENV TMPDIR=/data
EXPOSE 8080
# No HEALTHCHECK: it would have to run a program in here. Probe GET /healthz (alive) and GET /readyz (database and signing
# key at hand) from outside, as docker-compose.yml does.
ENTRYPOINT ["/signet"]
CMD ["serve", "--addr", "0.0.0.0:8080", "--data", "/data"]
