# The operator alone: one static binary, no shell, not root.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY main.go ./
COPY api ./api
COPY controllers ./controllers
COPY internal ./internal
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=unknown
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /mithaq .

FROM gcr.io/distroless/static:nonroot
LABEL org.opencontainers.image.title="Mithaq" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /mithaq /mithaq
USER 65532:65532
ENTRYPOINT ["/mithaq"]
