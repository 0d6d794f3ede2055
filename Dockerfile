# LogStream in one container: docker run -p 8000:8000 -p 127.0.0.1:8501:8501 -v logstream:/data logstream
FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/logstream
COPY requirements.txt ./
RUN /opt/logstream/bin/pip install --no-cache-dir -r requirements.txt

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home logstream \
    && install -d -o logstream -g logstream /data
COPY --from=build /opt/logstream /opt/logstream
WORKDIR /app
COPY . .
RUN /opt/logstream/bin/pip install --no-cache-dir --no-deps -e .
ENV PATH=/opt/logstream/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    LOGSTREAM_DATA_DIR=/data \
    LOGSTREAM_HOST=0.0.0.0 \
    LOGSTREAM_REQUIRE_KEYS=true
USER logstream
VOLUME /data
EXPOSE 8000 8501
# stops in order within seconds; the database is closed last
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "-c", \
    "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('LOGSTREAM_PORT', '8000') + '/health/live', timeout=2)"]
ENTRYPOINT ["logstream"]
CMD ["up"]
