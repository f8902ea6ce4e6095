# One image for every stage: the program, OpenSSL for Kafka over TLS and SASL, the public certificates. Settings are built in
# (config/default.toml); what differs comes as LOCKSTEP_... variables or as a file that LOCKSTEP_CONFIG names.
#
#     docker build -t lockstep .
#     docker run --rm -it lockstep                 # the demo, all in one process
#     docker run --rm lockstep health --broker HOST:PORT

# The version that rust-toolchain.toml pins.
ARG RUST=1.95
ARG DEBIAN=bookworm

FROM rust:${RUST}-${DEBIAN} AS build
# `dev` builds in a third of the time and runs slower.
ARG PROFILE=release
# Lines for backtraces make the program four times as large.
ENV CARGO_PROFILE_RELEASE_DEBUG=false CARGO_PROFILE_DEV_DEBUG=false CARGO_INCREMENTAL=0
WORKDIR /src
COPY . .
# Cargo goes by the times of files, and all checkouts share this cache: what came last must count as newest.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    find . -path ./target -prune -o -type f -exec touch {} + \
 && cargo build --locked --package lockstep --features tls --profile "$PROFILE" \
 && case $PROFILE in dev) folder=debug ;; *) folder=$PROFILE ;; esac \
 && cp "target/$folder/lockstep" /lockstep \
 && strip --strip-debug /lockstep

FROM debian:${DEBIAN}-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates libssl3 \
 && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/cache/ldconfig/aux-cache
COPY --from=build /lockstep /usr/local/bin/lockstep
COPY LICENSE-APACHE LICENSE-MIT /usr/share/doc/lockstep/
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="lockstep" \
      org.opencontainers.image.description="Puts streams on one clock and says what is true between them" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
# A number, so that Kubernetes sees that it is not root.
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["lockstep"]
