# syntax=docker/dockerfile:1
# Two stages: a Rust tool chain that builds, and an image that holds the program and its libraries alone.
FROM rust:1-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --locked --release && sh scripts/rootfs target/release/heliu /rootfs
COPY feeds.yaml feeds.schema.json /rootfs/config/
COPY snapshots /rootfs/config/snapshots

FROM scratch
COPY --from=build /rootfs /
USER 65532:65532
WORKDIR /config
# feeds.yaml lives in /config: mount the folder, not the file, so that an editor's rename is seen.
VOLUME ["/config", "/data"]
EXPOSE 8080
# glibc keeps freed memory unless told when to give it back: 24 instead of 33 MiB at rest.
ENV MALLOC_TRIM_THRESHOLD_=131072 MALLOC_ARENA_MAX=2
ENV HELIU_CONFIG=/config/feeds.yaml HELIU_DATA=/data HELIU_LISTEN=0.0.0.0:8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/heliu", "health"]
ENTRYPOINT ["/heliu"]
CMD ["serve"]
