# docker build -t opensip . && docker run --network host -v ./config:/etc/opensip -v opensip-data:/var/lib/opensip opensip
# Host networking, or publish 5060/udp, 5060, 5061 and the RTP range of [media] one to one.
FROM python:3.13-slim AS build
WORKDIR /src
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev libssl-dev
COPY requirements-extras.lock ./
RUN python -m venv /opt/opensip \
    && /opt/opensip/bin/pip install --no-cache-dir --require-hashes -r requirements-extras.lock
COPY pyproject.toml setup.py README.md LICENSE ./
COPY opensip opensip
RUN OPENSIP_NATIVE=require /opt/opensip/bin/pip install --no-cache-dir --no-deps .

FROM python:3.13-slim
# The extra `codecs` brings PyAV, whose wheel holds a GPL build of FFmpeg (x264, x265): who passes
# the image on passes that on too. Without it: leave the lines of av out of requirements-extras.lock.
LABEL org.opencontainers.image.licenses="MIT AND GPL-2.0-or-later AND LGPL-2.1-or-later"
RUN apt-get update \
    && apt-get install -y --no-install-recommends flite \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --home-dir /var/lib/opensip opensip
COPY --from=build /opt/opensip /opt/opensip
COPY config /etc/opensip
RUN sed -i 's|^data = .*|data = "/var/lib/opensip/data"|' /etc/opensip/opensip.toml
ENV PATH=/opt/opensip/bin:$PATH PYTHONUNBUFFERED=1
USER opensip
WORKDIR /var/lib/opensip
VOLUME /var/lib/opensip
EXPOSE 5060/udp 5060/tcp 5061/tcp 20000-29999/udp
STOPSIGNAL SIGTERM
# In a configuration mounted here, set data = "/var/lib/opensip/data".
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
    CMD ["opensip", "check", "--live", "--config", "/etc/opensip/opensip.toml"]
ENTRYPOINT ["opensip"]
CMD ["serve", "--config", "/etc/opensip/opensip.toml"]
