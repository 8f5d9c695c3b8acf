# bqlocal, the stand-in for BigQuery, for trying bqsync in containers.
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
    build-essential cmake ninja-build pkg-config python3 libsqlite3-dev libcurl4-openssl-dev libcjson-dev \
    libssl-dev libmicrohttpd-dev libisal-dev libzstd-dev libavro-dev zlib1g-dev
COPY . /src
RUN cmake -S /src -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release -DBQSYNC_TESTS=OFF \
    && cmake --build /build --target bqlocal && strip /build/bqlocal

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
    libsqlite3-0 libcurl4 libcjson1 libssl3 libmicrohttpd12 libisal2 libzstd1 libavro23 zlib1g tzdata \
    && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin \
    && install -d -o 10001 -g 10001 /data
COPY --from=build /build/bqlocal /usr/bin/bqlocal
USER 10001:10001
EXPOSE 9050
ENTRYPOINT ["/usr/bin/bqlocal"]
