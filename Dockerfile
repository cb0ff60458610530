# The program itself, as an image: docker build -t verify-buildkit-cache .
# It judges logs (`docker run --rm -i verify-buildkit-cache logs - < run.log`), and runs experiments on the engine whose socket
# it is given (`-v /var/run/docker.sock:/var/run/docker.sock`).
ARG RUST_IMAGE=rust:1-bookworm
ARG BASE_IMAGE=debian:bookworm-slim

FROM ${RUST_IMAGE} AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked && \
    cp target/release/verify-buildkit-cache /usr/local/bin/

FROM ${BASE_IMAGE}
COPY --from=build /usr/local/bin/verify-buildkit-cache /usr/local/bin/
ENTRYPOINT ["verify-buildkit-cache"]
CMD ["--help"]
