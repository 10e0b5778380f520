# The server without the embedded database's tests and tools: `docker build -t bim-twin .`
FROM python:3.13-slim AS build
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
RUN make setup && .venv/bin/python -m compileall -q -j 0 -x node_modules . && rm -rf viewer/web/node_modules

FROM python:3.13-slim
RUN useradd --system --user-group --home-dir /data twin && install -d -o twin -g twin -m 700 /data
COPY --from=build /app /app
WORKDIR /app
USER twin
ENV TWIN_DATA=/data PATH=/app/.venv/bin:$PATH
VOLUME /data
EXPOSE 8000
CMD ["twin", "serve", "--host", "0.0.0.0"]
